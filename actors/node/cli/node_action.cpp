// actors/node/cli/node_action.cpp - one table: each action's word, address and body.
#include "actors/node/cli/node_action.hpp"

#include <array>

#include <fmt/core.h>

#include "actors/node/cli/actor_paths.hpp"

namespace lucid {
namespace {

enum class object : std::uint8_t { node, actor, session };

struct action_line {
  node_action::kind what;
  object of;
  std::string_view word;    ///< As a consequence is asked for.
  std::string_view address; ///< Last segment of the POST.
  std::string_view body;
};

static_assert(extension_seconds == 600);
constexpr std::array lines{
  action_line{node_action::kind::restart, object::actor, "restart", "restart", ""},
  action_line{node_action::kind::kill, object::actor, "kill", "kill", ""},
  action_line{node_action::kind::suspend, object::actor, "suspend", "suspend", ""},
  action_line{node_action::kind::resume, object::actor, "resume", "resume", ""},
  action_line{node_action::kind::drain, object::node, "drain", "drain", R"({"on":true})"},
  action_line{node_action::kind::accept, object::node, "accept", "drain", R"({"on":false})"},
  action_line{node_action::kind::stop_node, object::node, "stop", "stop", ""},
  action_line{node_action::kind::stop_session, object::session, "stop", "stop", R"({"reason":"stopped by the operator"})"},
  action_line{node_action::kind::extend_session, object::session, "extend", "extend", R"({"seconds":600})"},
};

const action_line& line_of(const node_action& action) { return lines.at(static_cast<std::size_t>(action.what)); }

std::string address_of(const node_action& action) {
  switch (line_of(action).of) {
    case object::node: return "/v1/node";
    case object::actor: return "/v1/actors/" + percent_encoded(action.target);
    case object::session: return "/v1/sessions/" + percent_encoded(action.target);
  }
  return {};
}

} // namespace

std::string to_string(const node_action& action) {
  auto& line = line_of(action);
  switch (line.of) {
    case object::node:
      return action.what == node_action::kind::accept ? "accept sessions again" : fmt::format("{} the node", line.word);
    case object::actor: return fmt::format("{} {}", line.word, with_short_ids(action.target));
    case object::session: return fmt::format("{} session {}", line.word, action.target.substr(0, shown_id_length));
  }
  return {};
}

node_request consequence_request(const node_action& action) {
  return {"GET", fmt::format("{}/consequence?action={}", address_of(action), line_of(action).word)};
}

node_request action_request(const node_action& action) {
  auto& line = line_of(action);
  return {"POST", fmt::format("{}/{}", address_of(action), line.address), std::string(line.body)};
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"; // RFC 3986, 2.3.
  std::string encoded;
  for (char c : text) {
    if (plain.find(c) != std::string_view::npos) encoded.push_back(c);
    else encoded.append(fmt::format("%{:02X}", static_cast<unsigned char>(c)));
  }
  return encoded;
}

} // namespace lucid
