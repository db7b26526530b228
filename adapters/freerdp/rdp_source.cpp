// adapters/freerdp/rdp_source.cpp - FreeRDP's callbacks, gathered into frames and events.
#include "adapters/freerdp/rdp_source.hpp"

#include <array>
#include <atomic>
#include <cassert>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <freerdp/channels/rdpgfx.h>
#include <freerdp/client/channels.h>
#include <freerdp/client/cmdline.h>
#include <freerdp/crypto/certificate.h>
#include <freerdp/event.h>
#include <freerdp/freerdp.h>
#include <freerdp/gdi/gdi.h>
#include <freerdp/gdi/gfx.h>
#include <freerdp/graphics.h>
#include <freerdp/settings.h>
#include <freerdp/transport_io.h>
#include <winpr/synch.h>
#include <winpr/wlog.h>

#include <nlohmann/json.hpp>

#include "adapters/freerdp/rdp_errors.hpp"
#include "adapters/freerdp/watchdog.hpp"
#include "messages/picture.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto who = "rdp";
constexpr auto message_time_max = 5s;       ///< For a server that stops in the middle of a message.
constexpr auto drain_time_max = 40ms;       ///< For reading what has piled up: a frame at 25 a second.
constexpr auto close_time_max = 2s;         ///< For a server that does not take a farewell.
constexpr std::size_t text_size_max = 500;  ///< Of a foreign text: fits a line of a log.
constexpr std::size_t log_line_count_max = 100; ///< A connection: 50 KB of log at most.
constexpr std::size_t damage_pending_max = 256; ///< 4 KiB of rectangles; beyond that they are merged.
constexpr std::size_t event_count_max = 100;    ///< Waiting for the next call: a hostile server could resize all day.

unix_time_us now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
    .count();
}

std::string bounded(const char* text) {
  std::string copy(text ? text : "", text ? ::strnlen(text, text_size_max) : 0);
  for (auto& c : copy)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return copy;
}

std::string dumped(const nlohmann::json& detail) {
  return detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

struct freed {
  void operator()(void* memory) const noexcept { std::free(memory); }
};
using c_text = std::unique_ptr<char, freed>;

// --- FreeRDP's log -----------------------------------------------------------------------------------------------

std::mutex log_mutex;
const std::function<void(std::string_view)>* log_receiver = nullptr; // Of the last opened source.
std::size_t log_line_count = 0;

BOOL receive_log(const wLogMessage* message) {
  try {
    std::lock_guard guard(log_mutex);
    if (!log_receiver || !message || log_line_count >= log_line_count_max) return TRUE;
    ++log_line_count;
    (*log_receiver)(bounded(message->TextString));
  } catch (...) { // A log that fails is no reason to fail.
  }
  return TRUE;
}

/// FreeRDP would write to the terminal; from now on it tells us or nobody.
void redirect_log(const std::function<void(std::string_view)>* receiver) {
  std::lock_guard guard(log_mutex);
  log_receiver = receiver;
  log_line_count = 0;
  auto* root = WLog_GetRoot();
  static const bool once = [root] {
    static wLogCallbacks callbacks{nullptr, nullptr, receive_log, nullptr};
    WLog_SetLogAppenderType(root, WLOG_APPENDER_CALLBACK);
    char setting[] = "callbacks";
    return WLog_ConfigureAppender(WLog_GetLogAppender(root), setting, &callbacks) == TRUE &&
           WLog_OpenAppender(root) == TRUE;
  }();
  WLog_SetLogLevel(root, once && receiver ? WLOG_WARN : WLOG_OFF);
}

// --- the mouse pointer -------------------------------------------------------------------------------------------

/// What FreeRDP allocates for each pointer the server defines; `image` is ours.
struct rdp_pointer_image {
  rdpPointer base;
  cursor_image* image;
};

/// The pointer every system has and no server sends: black with a white edge.
const cursor_image& default_cursor() {
  static const cursor_image arrow = [] {
    constexpr std::array<std::string_view, 19> rows{
      "#           ", "##          ", "#.#         ", "#..#        ", "#...#       ", "#....#      ", "#.....#     ",
      "#......#    ", "#.......#   ", "#........#  ", "#.........# ", "#......#####", "#...#..#    ", "#..# #..#   ",
      "#.#  #..#   ", "##    #..#  ", "#     #..#  ", "       #..# ", "        ##  "};
    cursor_image image{12, rows.size(), 0, 0, {}};
    for (auto row : rows)
      for (char c : row) image.argb.push_back(c == ' ' ? 0u : c == '#' ? 0xffffffffu : 0xff000000u);
    return image;
  }();
  return arrow;
}

/// Some servers send colours already multiplied by alpha, others do not. A colour above its alpha tells.
void premultiply(std::vector<std::uint32_t>& argb) {
  auto part = [](std::uint32_t pixel, unsigned shift) { return (pixel >> shift) & 255u; };
  bool straight = std::any_of(argb.begin(), argb.end(), [&](std::uint32_t p) {
    return part(p, 0) > part(p, 24) || part(p, 8) > part(p, 24) || part(p, 16) > part(p, 24);
  });
  if (!straight) return;
  for (auto& pixel : argb) {
    auto alpha = part(pixel, 24);
    auto times = [&](unsigned shift) { return (part(pixel, shift) * alpha / 255u) << shift; };
    pixel = alpha << 24 | times(16) | times(8) | times(0);
  }
}

} // namespace

/// One connection to a server.
class rdp_source::session {
public:
  explicit session(const rdp_options& options)
    : options_(options), peer_(options.host + ":" + std::to_string(options.port)) {}
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  outcome<void> connect();
  outcome<source_poll> next(std::chrono::milliseconds patience);

private:
  struct context {
    rdpContext base; // First, since FreeRDP knows only it.
    session* owner;
  };
  static session& of(rdpContext* of_freerdp) { return *reinterpret_cast<context*>(of_freerdp)->owner; }

  outcome<void> prepare();
  bool apply_settings();
  void wipe_password();
  bool register_pointer();
  error why_failed();
  error why_ended(bool& regular);

  // --- what FreeRDP calls, all on the thread of `open` and `next`
  static int on_tcp_connect(rdpContext* of_freerdp, rdpSettings* settings, const char* host, int port, DWORD timeout);
  static BOOL on_pre_connect(freerdp* instance);
  static BOOL on_load_channels(freerdp* instance);
  static BOOL on_post_connect(freerdp* instance);
  static void on_post_disconnect(freerdp* instance);
  static BOOL on_authenticate(freerdp* instance, char** user, char** password, char** domain, rdp_auth_reason reason);
  static int on_certificate(freerdp* instance, const BYTE* data, size_t size, const char* host, UINT16 port, DWORD flags);
  static void on_channel_connected(void* of_freerdp, const ChannelConnectedEventArgs* e);
  static void on_channel_disconnected(void* of_freerdp, const ChannelDisconnectedEventArgs* e);
  static BOOL on_begin_paint(rdpContext* of_freerdp);
  static BOOL on_end_paint(rdpContext* of_freerdp);
  static BOOL on_desktop_resize(rdpContext* of_freerdp);
  static BOOL on_pointer_new(rdpContext* of_freerdp, rdpPointer* pointer);
  static void on_pointer_free(rdpContext* of_freerdp, rdpPointer* pointer);
  static BOOL on_pointer_set(rdpContext* of_freerdp, rdpPointer* pointer);
  static BOOL on_pointer_set_null(rdpContext* of_freerdp);
  static BOOL on_pointer_set_default(rdpContext* of_freerdp);
  static BOOL on_pointer_set_position(rdpContext* of_freerdp, UINT32 x, UINT32 y);

  bool judge(const BYTE* data, std::size_t size);
  bool size_is_allowed(std::uint32_t width, std::uint32_t height);
  void add_damage(std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height);
  void add_event(const char* kind, nlohmann::json detail);
  void show(const cursor_image& image);

  // --- the picture
  rdpGdi* gdi() const { return instance_->context->gdi; }
  std::uint32_t width() const { return static_cast<std::uint32_t>(gdi()->width) & ~1u; }
  std::uint32_t height() const { return static_cast<std::uint32_t>(gdi()->height) & ~1u; }
  bool changed() const { return painted_ && (all_damaged_ || !damage_.empty() || pointer_changed_); }
  frame_view take_frame();
  enum class step { nothing_came, message_read, ended };
  outcome<step> process(std::chrono::milliseconds patience);

  const rdp_options& options_;
  std::string peer_;
  freerdp* instance_ = nullptr;
  bool connected_ = false;
  pTCPConnect tcp_connect_ = nullptr; ///< FreeRDP's own.
  std::atomic<int> socket_ = -1;      ///< Our duplicate of FreeRDP's descriptor, so that it never names another.
  std::optional<rdp::watchdog> watchdog_;

  std::optional<certificate_info> refused_certificate_;
  bool credentials_lack_ = false;
  std::string limit_broken_; ///< By a size the server wanted.
  bool painted_ = false;     ///< Something of the picture has arrived.
  bool all_damaged_ = true;
  std::vector<damage_rect> damage_, delivered_;
  std::vector<source_event> events_;

  cursor_image cursor_;
  cursor_overlay overlay_;
  std::optional<damage_rect> pointer_area_; ///< Where the last frame shows it.
  bool pointer_placed_ = false, pointer_changed_ = false;
  std::int32_t pointer_x_ = 0, pointer_y_ = 0;
};

// --- connecting --------------------------------------------------------------------------------------------------

bool rdp_source::session::apply_settings() {
  auto* settings = instance_->context->settings;
  bool done = true;
  auto text = [&](FreeRDP_Settings_Keys_String key, const std::string& value) {
    done = freerdp_settings_set_string(settings, key, value.c_str()) && done;
  };
  auto number = [&](FreeRDP_Settings_Keys_UInt32 key, std::uint32_t value) {
    done = freerdp_settings_set_uint32(settings, key, value) && done;
  };
  auto flag = [&](FreeRDP_Settings_Keys_Bool key, bool value) {
    done = freerdp_settings_set_bool(settings, key, value ? TRUE : FALSE) && done;
  };
  text(FreeRDP_ServerHostname, options_.host);
  number(FreeRDP_ServerPort, options_.port);
  text(FreeRDP_Username, options_.username);
  text(FreeRDP_Domain, options_.domain);
  text(FreeRDP_Password, options_.password);
  flag(FreeRDP_AutoLogonEnabled, !options_.username.empty()); // Not only NLA: a login screen is filled in, too.
  text(FreeRDP_ClientHostname, "lucid");
  constexpr std::uint32_t keyboard_us = 0x409; // Servers want to know one, though nobody types.
  number(FreeRDP_KeyboardLayout, keyboard_us);
  number(FreeRDP_DesktopWidth, std::clamp<std::uint32_t>(options_.width & ~1u, 200, picture_side_max));
  number(FreeRDP_DesktopHeight, std::clamp<std::uint32_t>(options_.height & ~1u, 200, picture_side_max));
  number(FreeRDP_ColorDepth, 32);
  number(FreeRDP_TcpConnectTimeout, static_cast<std::uint32_t>(options_.connect_time_max.count()));
  number(FreeRDP_TcpAckTimeout, static_cast<std::uint32_t>(options_.connect_time_max.count()));

  // Who is trusted is not FreeRDP's decision: each certificate goes to on_certificate, none to a file.
  flag(FreeRDP_ExternalCertificateManagement, true);
  flag(FreeRDP_CertificateCallbackPreferPEM, true);
  flag(FreeRDP_IgnoreCertificate, false);
  flag(FreeRDP_AutoAcceptCertificate, false);
  flag(FreeRDP_NlaSecurity, true);
  flag(FreeRDP_TlsSecurity, true);
  flag(FreeRDP_RdpSecurity, options_.legacy_security_allowed);
  flag(FreeRDP_NegotiateSecurityLayer, true);

  // All on the thread that calls us: no locks, nothing that goes on between two calls.
  flag(FreeRDP_AsyncUpdate, false);
  flag(FreeRDP_AsyncChannels, false);
  flag(FreeRDP_SynchronousStaticChannels, true);
  flag(FreeRDP_SynchronousDynamicChannels, true);
  number(FreeRDP_ThreadingFlags, THREADING_FLAGS_DISABLE_THREADS);

  flag(FreeRDP_SoftwareGdi, true);
  flag(FreeRDP_SupportGraphicsPipeline, true);
  // Of what a server may choose from, H.264 with 4:2:0 costs us least: measured against FreeRDP's server, a third of
  // plain bitmaps and a fifth of 4:4:4 or progressive RemoteFX, which our own encoder would not keep anyway.
  flag(FreeRDP_GfxH264, true);
  flag(FreeRDP_GfxAVC444, false);
  flag(FreeRDP_GfxProgressive, true);
  flag(FreeRDP_RemoteFxCodec, true);
  flag(FreeRDP_NSCodec, true);
  flag(FreeRDP_GrabMouse, true); // Without it FreeRDP drops what the server says of the pointer's place.
  flag(FreeRDP_FastPathOutput, true);
  flag(FreeRDP_FrameMarkerCommandEnabled, true);
  flag(FreeRDP_SurfaceFrameMarkerEnabled, true);
  flag(FreeRDP_BitmapCachePersistEnabled, false); // It would be a file.
  number(FreeRDP_LargePointerFlag, LARGE_POINTER_FLAG_96x96 | LARGE_POINTER_FLAG_384x384);

  flag(FreeRDP_DeviceRedirection, false);
  flag(FreeRDP_RedirectClipboard, false);
  flag(FreeRDP_AudioPlayback, false);
  flag(FreeRDP_AudioCapture, false);
  flag(FreeRDP_RedirectDrives, false);
  flag(FreeRDP_SupportDisplayControl, false);
  flag(FreeRDP_DynamicResolutionUpdate, false);
  flag(FreeRDP_SupportMultitransport, false);
  flag(FreeRDP_NetworkAutoDetect, false);
  flag(FreeRDP_AutoReconnectionEnabled, false); // Whoever drives us opens again, and records the gap.
  return done;
}

outcome<void> rdp_source::session::prepare() {
  instance_ = freerdp_new();
  if (!instance_) return fail(errc::internal, who, "FreeRDP does not start");
  instance_->ContextSize = sizeof(context);
  if (!freerdp_context_new(instance_)) {
    freerdp_free(std::exchange(instance_, nullptr));
    return fail(errc::internal, who, "FreeRDP makes no context");
  }
  reinterpret_cast<context*>(instance_->context)->owner = this;
  instance_->PreConnect = on_pre_connect;
  instance_->LoadChannels = on_load_channels;
  instance_->PostConnect = on_post_connect;
  instance_->PostDisconnect = on_post_disconnect;
  instance_->AuthenticateEx = on_authenticate;
  instance_->VerifyX509Certificate = on_certificate;
  auto io = *freerdp_get_io_callbacks(instance_->context);
  tcp_connect_ = std::exchange(io.TCPConnect, on_tcp_connect);
  if (!freerdp_set_io_callbacks(instance_->context, &io)) return fail(errc::internal, who, "FreeRDP takes no callbacks");
  freerdp_register_addin_provider(freerdp_channels_load_static_addin_entry, 0);
  if (!apply_settings()) return fail(errc::invalid_input, who, "FreeRDP does not take the settings for " + peer_);
  return {};
}

void rdp_source::session::wipe_password() {
  auto* password = freerdp_settings_get_string_writable(instance_->context->settings, FreeRDP_Password);
  if (password) ::explicit_bzero(password, std::strlen(password));
}

outcome<void> rdp_source::session::connect() {
  std::signal(SIGPIPE, SIG_IGN); // A server that vanishes while it is written to is an error, not a signal.
  redirect_log(options_.log ? &options_.log : nullptr);
  if (auto prepared = prepare(); !prepared) return prepared;
  watchdog_.emplace([this] {
    freerdp_abort_connect_context(instance_->context);
    // A TLS handshake, and a write, only notice when nothing more can come or go.
    if (auto socket = socket_.load(); socket >= 0) ::shutdown(socket, SHUT_RDWR);
  });
  watchdog_->arm(options_.connect_time_max);
  connected_ = freerdp_connect(instance_) == TRUE;
  watchdog_->disarm();
  wipe_password();
  if (!connected_ || refused_certificate_) return tl::unexpected(why_failed());
  auto* settings = instance_->context->settings;
  auto protocol = freerdp_settings_get_uint32(settings, FreeRDP_SelectedProtocol);
  constexpr std::uint32_t tls = 1, nla = 2, nla_extended = 8; // MS-RDPBCGR 2.2.1.2.1
  const char* security = protocol & (nla | nla_extended) ? "nla" : protocol & tls ? "tls" : "rdp";
  add_event("connected", {{"peer", peer_}, {"security", security}, {"width", width()}, {"height", height()}});
  return {};
}

error rdp_source::session::why_failed() {
  if (refused_certificate_)
    return {errc::certificate_changed, who,
            peer_ + " presented a certificate that is not trusted: SHA-256 " + refused_certificate_->sha256_fingerprint +
              ", subject \"" + refused_certificate_->subject + "\"",
            nullptr};
  if (!limit_broken_.empty()) return {errc::limit_exceeded, who, limit_broken_, nullptr};
  if (credentials_lack_) return {errc::login_failed, who, peer_ + " wants a user and a password", nullptr};
  if (watchdog_->barked())
    return {errc::timeout, who,
            peer_ + " did not complete the connection within " + std::to_string(options_.connect_time_max.count()) + " ms",
            nullptr};
  auto why = rdp::why_not_connected(freerdp_get_last_error(instance_->context), peer_);
  return {why.code, who, why.what, nullptr};
}

error rdp_source::session::why_ended(bool& regular) {
  if (!limit_broken_.empty()) return {errc::limit_exceeded, who, limit_broken_, nullptr};
  if (watchdog_->barked())
    return {errc::timeout, who, peer_ + " stopped in the middle of a message for 5 s", nullptr};
  auto why = rdp::why_disconnected(freerdp_get_last_error(instance_->context), peer_);
  regular = why.regular;
  return {why.code, who, why.what, nullptr};
}

rdp_source::session::~session() {
  if (instance_) {
    if (watchdog_) watchdog_->arm(close_time_max);
    if (connected_) freerdp_disconnect(instance_);
    watchdog_.reset(); // Before what it barks at is gone.
    freerdp_context_free(instance_);
    freerdp_free(instance_);
  }
  if (auto socket = socket_.load(); socket >= 0) ::close(socket);
  redirect_log(nullptr);
}

/// Connects as FreeRDP does and remembers the socket. It may come more than once: each security is a new connection.
int rdp_source::session::on_tcp_connect(rdpContext* of_freerdp, rdpSettings* settings, const char* host, int port,
                                        DWORD timeout) {
  auto& self = of(of_freerdp);
  auto socket = self.tcp_connect_(of_freerdp, settings, host, port, timeout);
  auto before = self.socket_.exchange(socket >= 0 ? ::fcntl(socket, F_DUPFD_CLOEXEC, 0) : -1);
  if (before >= 0) ::close(before);
  return socket;
}

BOOL rdp_source::session::on_pre_connect(freerdp* instance) {
  auto* channels = instance->context->pubSub;
  return PubSub_SubscribeChannelConnected(channels, on_channel_connected) >= 0 &&
         PubSub_SubscribeChannelDisconnected(channels, on_channel_disconnected) >= 0;
}

BOOL rdp_source::session::on_load_channels(freerdp* instance) {
  return freerdp_client_load_addins(instance->context->channels, instance->context->settings);
}

BOOL rdp_source::session::on_post_connect(freerdp* instance) {
  auto* of_freerdp = instance->context;
  auto& self = of(of_freerdp);
  auto* settings = of_freerdp->settings;
  if (!self.size_is_allowed(freerdp_settings_get_uint32(settings, FreeRDP_DesktopWidth),
                            freerdp_settings_get_uint32(settings, FreeRDP_DesktopHeight)))
    return FALSE;
  if (!gdi_init(instance, PIXEL_FORMAT_BGRX32) || !self.register_pointer()) return FALSE;
  of_freerdp->update->BeginPaint = on_begin_paint;
  of_freerdp->update->EndPaint = on_end_paint;
  of_freerdp->update->DesktopResize = on_desktop_resize;
  return TRUE;
}

void rdp_source::session::on_post_disconnect(freerdp* instance) {
  if (!instance || !instance->context) return;
  PubSub_UnsubscribeChannelConnected(instance->context->pubSub, on_channel_connected);
  PubSub_UnsubscribeChannelDisconnected(instance->context->pubSub, on_channel_disconnected);
  gdi_free(instance);
}

/// Asked when a server wants credentials that we were not given.
BOOL rdp_source::session::on_authenticate(freerdp* instance, char**, char**, char**, rdp_auth_reason reason) {
  if (reason == AUTH_TLS || reason == AUTH_RDP) return TRUE; // These may go on: the server shows a login screen.
  of(instance->context).credentials_lack_ = true;
  return FALSE;
}

int rdp_source::session::on_certificate(freerdp* instance, const BYTE* data, size_t size, const char*, UINT16, DWORD) {
  constexpr int refused = 0, for_this_session = 2;
  try {
    return of(instance->context).judge(data, size) ? for_this_session : refused;
  } catch (...) { // FreeRDP is C. Whatever went wrong, the answer is no.
    return refused;
  }
}

bool rdp_source::session::judge(const BYTE* data, std::size_t size) {
  constexpr std::size_t pem_size_max = 256u << 10; // Certificates have a few KB, chains a few of them.
  certificate_info info{options_.host, options_.port, {}, {}, {}};
  if (data && size <= pem_size_max) {
    std::string pem(reinterpret_cast<const char*>(data), size);
    std::unique_ptr<rdpCertificate, decltype(&freerdp_certificate_free)> certificate(
      freerdp_certificate_new_from_pem(pem.c_str()), freerdp_certificate_free);
    if (certificate) {
      info.sha256_fingerprint =
        bounded(c_text(freerdp_certificate_get_fingerprint_by_hash_ex(certificate.get(), "sha256", FALSE)).get());
      info.subject = bounded(c_text(freerdp_certificate_get_subject(certificate.get())).get());
      info.issuer = bounded(c_text(freerdp_certificate_get_issuer(certificate.get())).get());
    }
  }
  for (auto& c : info.sha256_fingerprint)
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  constexpr std::size_t fingerprint_size = 64;
  watchdog_->disarm(); // Whoever is asked may ask a person.
  bool trusted = info.sha256_fingerprint.size() == fingerprint_size && options_.trusted && options_.trusted(info);
  watchdog_->arm(options_.connect_time_max);
  if (!trusted) {
    refused_certificate_ = std::move(info);
    return false;
  }
  refused_certificate_.reset();
  add_event("certificate", {{"peer", peer_},
                            {"sha256", info.sha256_fingerprint},
                            {"subject", info.subject},
                            {"issuer", info.issuer}});
  return true;
}

// --- what the server draws ---------------------------------------------------------------------------------------

void rdp_source::session::add_event(const char* kind, nlohmann::json detail) {
  if (events_.size() < event_count_max) events_.push_back({now_us(), kind, dumped(detail)});
}

void rdp_source::session::add_damage(std::int64_t x, std::int64_t y, std::int64_t area_width, std::int64_t area_height) {
  painted_ = true;
  if (all_damaged_) return;
  if (auto area = clipped(x, y, area_width, area_height, width(), height())) damage_.push_back(*area);
  if (damage_.size() >= damage_pending_max) merge_damage(damage_);
}

bool rdp_source::session::size_is_allowed(std::uint32_t wanted_width, std::uint32_t wanted_height) {
  if (wanted_width >= picture_side_min && wanted_height >= picture_side_min && wanted_width <= picture_side_max &&
      wanted_height <= picture_side_max)
    return true;
  limit_broken_ = peer_ + " wants a desktop of " + std::to_string(wanted_width) + " by " +
                  std::to_string(wanted_height) + " pixels; 16 to 8192 a side can be recorded";
  return false;
}

void rdp_source::session::on_channel_connected(void* of_freerdp, const ChannelConnectedEventArgs* e) {
  auto* base = static_cast<rdpContext*>(of_freerdp);
  if (std::strcmp(e->name, RDPGFX_DVC_CHANNEL_NAME) == 0)
    gdi_graphics_pipeline_init(base->gdi, static_cast<RdpgfxClientContext*>(e->pInterface));
}

void rdp_source::session::on_channel_disconnected(void* of_freerdp, const ChannelDisconnectedEventArgs* e) {
  auto* base = static_cast<rdpContext*>(of_freerdp);
  if (std::strcmp(e->name, RDPGFX_DVC_CHANNEL_NAME) == 0)
    gdi_graphics_pipeline_uninit(base->gdi, static_cast<RdpgfxClientContext*>(e->pInterface));
}

BOOL rdp_source::session::on_begin_paint(rdpContext* of_freerdp) {
  auto* window = of_freerdp->gdi->primary->hdc->hwnd;
  window->invalid->null = TRUE;
  window->ninvalid = 0;
  return TRUE;
}

BOOL rdp_source::session::on_end_paint(rdpContext* of_freerdp) {
  try {
    const auto* window = of_freerdp->gdi->primary->hdc->hwnd;
    if (window->invalid->null) return TRUE;
    for (INT32 i = 0; i < window->ninvalid; ++i) {
      const auto& area = window->cinvalid[i];
      of(of_freerdp).add_damage(area.x, area.y, area.w, area.h);
    }
    return TRUE;
  } catch (...) { // Out of memory.
    return FALSE;
  }
}

BOOL rdp_source::session::on_desktop_resize(rdpContext* of_freerdp) {
  try {
    auto& self = of(of_freerdp);
    auto wanted_width = freerdp_settings_get_uint32(of_freerdp->settings, FreeRDP_DesktopWidth);
    auto wanted_height = freerdp_settings_get_uint32(of_freerdp->settings, FreeRDP_DesktopHeight);
    if (!self.size_is_allowed(wanted_width, wanted_height)) return FALSE;
    bool same = static_cast<std::uint32_t>(self.gdi()->width) == wanted_width &&
                static_cast<std::uint32_t>(self.gdi()->height) == wanted_height;
    if (!gdi_resize(self.gdi(), wanted_width, wanted_height)) return FALSE;
    self.overlay_.forget();
    self.damage_.clear();
    self.all_damaged_ = true;
    if (!same) self.add_event("resized", {{"width", self.width()}, {"height", self.height()}});
    return TRUE;
  } catch (...) { // Out of memory.
    return FALSE;
  }
}

// --- the mouse pointer -------------------------------------------------------------------------------------------

bool rdp_source::session::register_pointer() {
  rdpPointer prototype{};
  prototype.size = sizeof(rdp_pointer_image);
  prototype.New = on_pointer_new;
  prototype.Free = on_pointer_free;
  prototype.Set = on_pointer_set;
  prototype.SetNull = on_pointer_set_null;
  prototype.SetDefault = on_pointer_set_default;
  prototype.SetPosition = on_pointer_set_position;
  graphics_register_pointer(instance_->context->graphics, &prototype);
  cursor_ = default_cursor();
  return true;
}

BOOL rdp_source::session::on_pointer_new(rdpContext* of_freerdp, rdpPointer* pointer) {
  try {
    auto image = std::make_unique<cursor_image>();
    bool fits = pointer->width <= cursor_image::side_max && pointer->height <= cursor_image::side_max;
    if (fits) image->argb.resize(std::size_t{pointer->width} * pointer->height);
    // A pointer that makes no sense is shown as none; that is no reason to end the recording.
    if (!image->argb.empty() &&
        freerdp_image_copy_from_pointer_data(reinterpret_cast<BYTE*>(image->argb.data()), PIXEL_FORMAT_BGRA32,
                                             pointer->width * 4, 0, 0, pointer->width, pointer->height,
                                             pointer->xorMaskData, pointer->lengthXorMask, pointer->andMaskData,
                                             pointer->lengthAndMask, pointer->xorBpp, &of_freerdp->gdi->palette)) {
      image->width = pointer->width, image->height = pointer->height;
      image->hot_x = static_cast<std::int32_t>(std::min(pointer->xPos, cursor_image::side_max));
      image->hot_y = static_cast<std::int32_t>(std::min(pointer->yPos, cursor_image::side_max));
    }
    premultiply(image->argb);
    reinterpret_cast<rdp_pointer_image*>(pointer)->image = image.release();
    return TRUE;
  } catch (...) { // Out of memory.
    return FALSE;
  }
}

void rdp_source::session::on_pointer_free(rdpContext*, rdpPointer* pointer) {
  if (pointer) delete std::exchange(reinterpret_cast<rdp_pointer_image*>(pointer)->image, nullptr);
}

void rdp_source::session::show(const cursor_image& image) {
  cursor_ = image;
  pointer_changed_ = pointer_placed_;
}

BOOL rdp_source::session::on_pointer_set(rdpContext* of_freerdp, rdpPointer* pointer) {
  try {
    const auto* image = reinterpret_cast<rdp_pointer_image*>(pointer)->image;
    of(of_freerdp).show(image ? *image : cursor_image{});
    return TRUE;
  } catch (...) { // Out of memory.
    return FALSE;
  }
}

BOOL rdp_source::session::on_pointer_set_null(rdpContext* of_freerdp) {
  of(of_freerdp).show({});
  return TRUE;
}

BOOL rdp_source::session::on_pointer_set_default(rdpContext* of_freerdp) {
  try {
    of(of_freerdp).show(default_cursor());
    return TRUE;
  } catch (...) { // Out of memory.
    return FALSE;
  }
}

BOOL rdp_source::session::on_pointer_set_position(rdpContext* of_freerdp, UINT32 x, UINT32 y) {
  auto& self = of(of_freerdp);
  auto place = [](UINT32 value) { return static_cast<std::int32_t>(std::min<UINT32>(value, picture_side_max)); };
  if (self.pointer_placed_ && self.pointer_x_ == place(x) && self.pointer_y_ == place(y)) return TRUE;
  self.pointer_x_ = place(x), self.pointer_y_ = place(y);
  self.pointer_placed_ = self.pointer_changed_ = true;
  return TRUE;
}

// --- waiting and delivering --------------------------------------------------------------------------------------

/// Waits for the server and lets FreeRDP read one or more of its messages.
outcome<rdp_source::session::step> rdp_source::session::process(std::chrono::milliseconds patience) {
  std::array<HANDLE, MAXIMUM_WAIT_OBJECTS> handles{};
  auto count = freerdp_get_event_handles(instance_->context, handles.data(), static_cast<DWORD>(handles.size()));
  if (count == 0) return step::ended;
  auto waited = WaitForMultipleObjects(count, handles.data(), FALSE, static_cast<DWORD>(patience.count()));
  if (waited == WAIT_FAILED) return fail(errc::io_failed, who, "waiting for the server failed");
  if (waited == WAIT_TIMEOUT) return step::nothing_came;
  // What FreeRDP draws may build on what is there: the pointer must not be.
  overlay_.take_out(gdi()->primary_buffer, gdi()->stride);
  watchdog_->arm(message_time_max);
  bool alive = freerdp_check_event_handles(instance_->context) && !freerdp_shall_disconnect_context(instance_->context);
  watchdog_->disarm();
  return alive && limit_broken_.empty() ? step::message_read : step::ended;
}

frame_view rdp_source::session::take_frame() {
  auto* pixels = gdi()->primary_buffer;
  auto stride = std::size_t{gdi()->stride};
  if (pointer_placed_) overlay_.draw(pixels, stride, width(), height(), cursor_, pointer_x_, pointer_y_);
  if (std::exchange(pointer_changed_, false))
    for (const auto& area : {pointer_area_, overlay_.where()})
      if (area) damage_.push_back(*area);
  pointer_area_ = overlay_.where();
  if (std::exchange(all_damaged_, false)) damage_.assign(1, {0, 0, width(), height()});
  merge_damage(damage_);
  delivered_ = std::exchange(damage_, {});
  return {pixels, static_cast<std::uint32_t>(stride), width(), height(), now_us(), delivered_};
}

outcome<source_poll> rdp_source::session::next(std::chrono::milliseconds patience) {
  auto deadline = clock::now() + std::clamp<std::chrono::milliseconds>(patience, 0ms, 1h);
  std::optional<clock::time_point> drain_until;
  source_poll result;
  bool regular = false;
  std::optional<error> ended;
  for (;;) {
    // Once something has changed, all that has already come belongs to the same frame.
    if (changed() && !drain_until) drain_until = clock::now() + drain_time_max;
    auto until = changed() ? clock::now() : deadline;
    auto came = process(std::max(std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()), 0ms));
    if (!came) return pass_on(std::move(came));
    if (*came == step::ended) {
      ended = why_ended(regular);
      break;
    }
    if (*came == step::nothing_came || clock::now() >= drain_until.value_or(deadline)) break;
  }
  if (ended && !regular) return tl::unexpected(std::move(*ended));
  if (ended) {
    add_event("disconnected", {{"peer", peer_}, {"reason", ended->what}});
    result.ended = true;
  } else if (changed()) {
    result.frame = take_frame();
  }
  result.events = std::exchange(events_, {});
  return result;
}

// --- the port ----------------------------------------------------------------------------------------------------

rdp_source::rdp_source(rdp_options options) : options_(std::move(options)) {}

rdp_source::~rdp_source() {
  close();
  ::explicit_bzero(options_.password.data(), options_.password.size());
}

outcome<void> rdp_source::open() {
  close();
  auto opened = std::make_unique<session>(options_);
  if (auto connected = opened->connect(); !connected) return connected;
  session_ = std::move(opened);
  return {};
}

outcome<source_poll> rdp_source::next(std::chrono::milliseconds patience) {
  if (!session_) return fail(errc::wrong_state, who, "the connection is not open");
  auto result = session_->next(patience);
  if (!result) close();
  return result;
}

void rdp_source::close() noexcept { session_.reset(); }

} // namespace lucid
