// runtime/reply.cpp - errors across CAF: a code, and texts with their codes in a row.
#include "runtime/reply.hpp"

#include <memory>
#include <string>

#include <caf/exit_reason.hpp>
#include <caf/message_builder.hpp>
#include <caf/sec.hpp>

namespace lucid {
namespace {

errc code_from(std::uint8_t number) {
  return number >= 1 && number <= static_cast<std::uint8_t>(errc_last) ? static_cast<errc>(number) : errc::internal;
}

// The context is: who, what, then for each cause its code, who, what.
error ours_from(const caf::error& e) {
  const auto& context = e.context();
  auto text = [&](std::size_t i) {
    return i < context.size() && context.match_element<std::string>(i) ? context.get_as<std::string>(i) : std::string();
  };
  std::shared_ptr<const error> because;
  auto count = context.size() < 2 ? 0 : (context.size() - 2) / 3;
  for (auto i = count; i-- > 0;) {
    auto at = 2 + i * 3;
    auto number = context.match_element<std::uint8_t>(at) ? context.get_as<std::uint8_t>(at) : std::uint8_t{0};
    because = std::make_shared<const error>(error{code_from(number), text(at + 1), text(at + 2), because});
  }
  return {code_from(e.code()), text(0), text(1), because};
}

error system_error_from(caf::sec code, const std::string& detail) {
  auto say = [&](errc as, const char* what) { return error{as, "actor system", what + detail, nullptr}; };
  switch (code) {
    case caf::sec::request_timeout: return say(errc::timeout, "no answer within the stated time");
    case caf::sec::request_receiver_down: return say(errc::unreachable, "the receiver ended before it answered");
    case caf::sec::remote_linking_failed:
    case caf::sec::no_route_to_receiving_node:
    case caf::sec::no_proxy_registry:
    case caf::sec::cannot_connect_to_node: return say(errc::unreachable, "there is no way to the other node");
    case caf::sec::unexpected_message: return say(errc::unsupported, "the receiver does not understand the message");
    case caf::sec::runtime_error: return say(errc::crashed, "a handler threw");
    default: return say(errc::internal, ("CAF says " + to_string(code)).c_str());
  }
}

error exit_from(caf::exit_reason reason, const std::string& detail) {
  auto say = [&](errc as, const char* what) { return error{as, "actor system", what + detail, nullptr}; };
  switch (reason) {
    case caf::exit_reason::normal: return say(errc::cancelled, "the actor ended");
    case caf::exit_reason::user_shutdown: return say(errc::cancelled, "the actor was stopped");
    case caf::exit_reason::kill: return say(errc::crashed, "the actor was killed");
    case caf::exit_reason::unhandled_exception: return say(errc::crashed, "a handler threw");
    case caf::exit_reason::remote_link_unreachable:
    case caf::exit_reason::unreachable: return say(errc::unreachable, "the actor could not be reached");
    default: return say(errc::crashed, ("the actor ended: " + to_string(reason)).c_str());
  }
}

} // namespace

caf::error to_caf(const error& e) {
  caf::message_builder context;
  context.append(e.who).append(e.what);
  std::size_t depth = 0;
  for (auto cause = e.because; cause && depth < error_causes_max; cause = cause->because, ++depth)
    context.append(static_cast<std::uint8_t>(cause->code)).append(cause->who).append(cause->what);
  return {static_cast<std::uint8_t>(e.code), caf::detail::error_factory<errc>::category, context.to_message()};
}

error from_caf(const caf::error& e) {
  if (!e) return {errc::internal, "actor system", "an error was asked for where there is none", nullptr};
  if (e.category() == caf::detail::error_factory<errc>::category) return ours_from(e);
  std::string detail;
  if (!e.context().empty()) detail.append(" ").append(to_string(e.context()));
  if (e.category() == caf::atom("system"))
    return system_error_from(static_cast<caf::sec>(e.code()), detail);
  if (e.category() == caf::atom("exit")) return exit_from(static_cast<caf::exit_reason>(e.code()), detail);
  return {errc::internal, "actor system", std::string("foreign error: ").append(to_string(e)), nullptr};
}

} // namespace lucid
