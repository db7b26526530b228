// actors/node/source_factory.cpp - FreeRDP and XCB behind the frame source port.
#include "actors/node/source_factory.hpp"

#include <utility>

#include "adapters/freerdp/rdp_source.hpp"
#include "adapters/xcb/x11_source.hpp"

namespace lucid {
namespace {

outcome<std::unique_ptr<frame_source>> make_rdp(const source_context& context) {
  auto options = rdp_options_from(context.what.source);
  if (!options) return pass_on(std::move(options));
  if (!context.what.username.empty()) options->username = context.what.username;
  options->password = context.what.password;
  options->width = context.what.width;
  options->height = context.what.height;
  options->connect_time_max = context.limits.connect_time_max;
  options->log = context.log;
  options->trusted = [trusted = context.trusted, host = pinned_name(context.url)](const certificate_info& shown) {
    return trusted({host, shown.sha256_fingerprint, shown.subject, shown.issuer});
  };
  return std::make_unique<rdp_source>(std::move(*options));
}

outcome<std::unique_ptr<frame_source>> make_x11(const source_context& context) {
  auto options = x11_options_from(context.what.source);
  if (!options) return pass_on(std::move(options));
  return std::make_unique<x11_source>(std::move(*options));
}

} // namespace

source_maker live_sources() {
  return [](const source_context& context) -> outcome<std::unique_ptr<frame_source>> {
    switch (context.url.kind) {
      case source_kind::rdp: return make_rdp(context);
      case source_kind::x11: return make_x11(context);
      default: return fail(errc::unsupported, "worker", "this kind of source is not a live one");
    }
  };
}

} // namespace lucid
