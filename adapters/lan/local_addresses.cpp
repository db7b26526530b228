// adapters/lan/local_addresses.cpp - getifaddrs, the useful ones.
#include "adapters/lan/local_addresses.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <array>
#include <memory>

namespace lucid {

std::vector<std::string> local_addresses(std::size_t count_max) {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owned(first, &::freeifaddrs);
  std::vector<std::string> found;
  for (auto* one = first; one && found.size() < count_max; one = one->ifa_next) {
    bool usable = one->ifa_addr && one->ifa_addr->sa_family == AF_INET && (one->ifa_flags & IFF_UP) != 0 &&
                  (one->ifa_flags & IFF_LOOPBACK) == 0;
    if (!usable) continue;
    auto& address = reinterpret_cast<sockaddr_in*>(one->ifa_addr)->sin_addr;
    if (ntohl(address.s_addr) >> 16 == 0xa9fe) continue; // 169.254: nobody gave it one.
    std::array<char, INET_ADDRSTRLEN> text{};
    if (::inet_ntop(AF_INET, &address, text.data(), text.size())) found.emplace_back(text.data());
  }
  return found;
}

} // namespace lucid
