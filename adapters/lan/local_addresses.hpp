// adapters/lan/local_addresses.hpp - the addresses under which others on the local network reach this machine.
#pragma once

#include <string>
#include <vector>

namespace lucid {

/// IPv4 addresses of interfaces that are up, loopback and link-local ones left out; at most `count_max`.
/// Threads: any. Source: getifaddrs(3).
std::vector<std::string> local_addresses(std::size_t count_max);

} // namespace lucid
