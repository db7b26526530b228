// actors/worker/worker.cpp - start order, sandbox, the right loop, last word.
#include "actors/worker/worker.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "actors/worker/frame_loop.hpp"
#include "actors/worker/generator_source.hpp"
#include "actors/worker/worker_link.hpp"
#include "adapters/ffmpeg/remuxer.hpp"
#include "adapters/process/sandbox.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

constexpr const char* who = "worker";
constexpr auto start_patience_max = 30s;
constexpr auto verdict_patience_max = 30s;

constexpr int exit_regular = 0;
constexpr int exit_lost_node = 3; ///< The node is gone or speaks another language; nobody is there to be told.

worker_end failed_end(const error& why) { return {to_string(why), why.code, true}; }

outcome<worker_start> wait_for_start(worker_voice& voice) {
  auto until = std::chrono::steady_clock::now() + start_patience_max;
  while (std::chrono::steady_clock::now() < until) {
    if (auto pumped = voice.link().pump(100ms); !pumped) return pass_on(std::move(pumped));
    if (auto start = voice.link().take_start()) return std::move(*start);
  }
  return fail(errc::timeout, who, "no start order came within 30 s");
}

/// A file descriptor that is opened while that is still possible.
class input_file {
public:
  static outcome<input_file> open(const source_url& url) {
    input_file made;
    if (url.kind == source_kind::standard_input) return made;
    made.fd_ = ::open(url.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (made.fd_ >= 0) return made;
    auto kind = errno == ENOENT ? errc::not_found : errno == EACCES ? errc::permission_denied : errc::io_failed;
    return fail(kind, who, url.path + " cannot be read: " + std::strerror(errno));
  }
  input_file(input_file&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  input_file& operator=(input_file&&) = delete;
  ~input_file() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_ >= 0 ? fd_ : STDIN_FILENO; }

private:
  input_file() = default;
  int fd_ = -1;
};

/// Reads media to its end. It is never dropped: without credit it waits.
outcome<worker_end> run_media(worker_voice& voice, const worker_start& start, int fd) {
  ffmpeg::remux_options options;
  options.muxer = muxer_options_of(start);
  options.encoder = encoder_options_of(start);
  options.skip_frame_count = start.resume.frame_count;
  options.keep_going = [&] { return voice.pump(0ms).has_value() && !voice.link().stop_wanted(); };
  auto input = ffmpeg::remuxer::open(fd, std::move(options));
  if (!input) return failed_end(input.error());
  for (;;) {
    if (auto waited = voice.wait_for_credit(); !waited) return pass_on(std::move(waited));
    auto step = input->next();
    if (!step) return failed_end(step.error());
    pipeline_output output{std::move(step->fragments), std::move(step->events)};
    if (auto sent = voice.send(output); !sent) return pass_on(std::move(sent));
    if (!step->ended) continue;
    if (voice.link().stop_wanted()) return worker_end{"stopped", errc::cancelled, false};
    return worker_end{"the source is at its end", errc::cancelled, false};
  }
}

sandbox_needs needs_of(const worker_start& start, const source_url& url) {
  sandbox_needs needs;
  needs.network = url.kind == source_kind::rdp || url.kind == source_kind::x11;
  needs.devices = start.what.encoder != "libx264";
  needs.memory_size_bytes_max = start.limits.memory_bytes_max;
  if (url.kind == source_kind::x11) {
    // The X server's key to this user.
    if (const auto* file = std::getenv("XAUTHORITY"))
      needs.read_paths.emplace_back(file);
    else if (const auto* home = std::getenv("HOME"))
      needs.read_paths.push_back(std::string(home) + "/.Xauthority");
  }
  return needs;
}

/// Errors: of the link. A sandbox that is required and cannot be had is the end of the recording.
outcome<std::optional<worker_end>> confine(worker_voice& voice, const worker_start& start, const source_url& url) {
  auto report = enter_sandbox(needs_of(start, url));
  auto lacking = report ? report->missing : report.error().what;
  if (!lacking.empty() && start.limits.sandbox == worker_sandbox::require)
    return std::optional(failed_end({errc::missing_dependency, who,
                                     "worker.sandbox is \"require\", but this machine lacks: " + lacking +
                                       "; \"on\" records without it",
                                     nullptr}));
  auto logged = lacking.empty() ? voice.log(worker_log_level::debug, "the sandbox is closed")
                                : voice.log(worker_log_level::warning, "the sandbox lacks: " + lacking);
  if (!logged) return pass_on(std::move(logged));
  return std::optional<worker_end>{};
}

/// Asks the node and waits. Runs on whatever thread the source connects on.
bool ask_trusted(worker_link& link, const worker_certificate& shown) {
  if (!link.send(shown)) return false;
  auto until = std::chrono::steady_clock::now() + verdict_patience_max;
  while (std::chrono::steady_clock::now() < until && !link.stop_wanted()) {
    if (auto verdict = link.take_verdict()) return verdict->accepted;
    if (!link.pump(20ms)) return false;
  }
  return false;
}

outcome<std::unique_ptr<frame_source>> make_source(worker_voice& voice, const worker_start& start, const source_url& url,
                                                   const source_maker& make) {
  if (url.kind == source_kind::generator)
    return std::make_unique<generator_source>(url.plan, start.resume.frame_count, start.base_us);
  source_context context;
  context.what = start.what;
  context.url = url;
  context.limits = start.limits;
  auto& link = voice.link();
  context.trusted = [&link](const worker_certificate& shown) { return ask_trusted(link, shown); };
  context.log = [&link](std::string_view line) {
    // FreeRDP warns of old ciphers and a missing Kerberos at each start; what matters comes back as an error.
    static_cast<void>(link.send(worker_log{worker_log_level::debug, std::string(line)}));
  };
  if (!make) return fail(errc::unsupported, who, "this program was built without live sources");
  return make(context);
}

outcome<worker_end> record(worker_voice& voice, const source_maker& make, bool sandbox_allowed) {
  auto start = wait_for_start(voice);
  if (!start) return pass_on(std::move(start));
  auto url = parse_source_url(start->what.source);
  if (!url) return failed_end(url.error());
  auto is_media = url->kind == source_kind::file || url->kind == source_kind::standard_input;
  std::optional<input_file> media;
  if (is_media) {
    auto opened = input_file::open(*url);
    if (!opened) return failed_end(opened.error());
    media.emplace(std::move(*opened));
  }
  if (sandbox_allowed && start->limits.sandbox != worker_sandbox::off) {
    auto confined = confine(voice, *start, *url);
    if (!confined) return pass_on(std::move(confined));
    if (*confined) return std::move(**confined);
  }
  if (is_media) return run_media(voice, *start, media->get());
  auto source = make_source(voice, *start, *url, make);
  if (!source) return failed_end(source.error());
  process_clock clock;
  return frame_loop(voice, *start, std::move(*source), is_repeatable(url->kind), clock).run();
}

/// FFmpeg's own lines go where the node collects them: standard error.
void print_log_line(const char* line, bool) { static_cast<void>(!::write(STDERR_FILENO, line, std::strlen(line))); }

/// Ends the process as soon as the node has closed its end, even while a library hangs.
void watch_node(int fd) {
  std::thread([fd] {
    pollfd waiting{fd, POLLRDHUP, 0};
    while (::poll(&waiting, 1, -1) <= 0 || (waiting.revents & (POLLRDHUP | POLLHUP | POLLERR)) == 0) {
    }
    ::_exit(exit_lost_node);
  }).detach();
}

} // namespace

int run_worker(int fd, const source_maker& make, bool sandbox_allowed) {
  worker_link link(fd);
  worker_voice voice(link);
  if (!link.send(worker_hello{})) return exit_lost_node;
  auto end = record(voice, make, sandbox_allowed);
  if (!end) return exit_lost_node;
  return link.send(std::move(*end)) ? exit_regular : exit_lost_node;
}

int worker_main(int fd, const source_maker& make) {
  close_descriptors_above(fd);
  for (auto between = 3; between < fd; ++between) ::close(between);
  ffmpeg::redirect_log(print_log_line);
  watch_node(fd);
  auto status = run_worker(fd, make, true);
  // Libraries' threads may still be at work; there is nothing left to tidy up.
  ::_exit(status);
}

} // namespace lucid
