// actors/node/cli/trust.hpp - whom an auditor trusts, as it is written on the command line.
#pragma once

#include <string>
#include <vector>

#include "actors/format/proof_codec.hpp"

namespace lucid {

/// The signing key that `text` names: 64 hexadecimal digits, a line of `lucid keys export node`, or a file with one.
/// Errors: `invalid_input`, naming `option`.
outcome<sign_public_key> parse_signer(const std::string& text, std::string_view option);

/// All of them, as recorders. Errors: as above.
outcome<trusted_keys> parse_trusted(const std::vector<std::string>& recorders, const std::vector<std::string>& producers);

} // namespace lucid
