// actors/recorder/standby_plan.cpp - what a plan may be, and what goes on with it.
#include "actors/recorder/standby_plan.hpp"

#include <algorithm>

#include "adapters/sodium/secret.hpp"
#include "messages/worker_protocol.hpp"

namespace lucid {
namespace {

constexpr std::size_t text_bytes_max = 200;    ///< Title and owner, as messages/session.hpp says.
constexpr std::size_t encoder_bytes_max = 64;
constexpr std::string_view continued = "(goes on from ";
constexpr std::size_t shown_digits = 12;       ///< As short_id shows.
constexpr std::int64_t us_per_second = 1'000'000;

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// The title that `continued_title` was given, if this is one of its making.
std::string_view without_continuation(std::string_view title) {
  auto at = title.rfind(continued);
  if (at == std::string_view::npos || !title.ends_with(')')) return title;
  auto rest = title.substr(at + continued.size());
  if (rest.size() < shown_digits || !is_hex(rest.substr(0, shown_digits)) || !rest.substr(shown_digits).starts_with(" on "))
    return title;
  if (at > 0 && title[at - 1] == ' ') --at;
  return title.substr(0, at);
}

/// At most `size_bytes` of it, without the first bytes of a character.
std::string_view cut_utf8(std::string_view text, std::size_t size_bytes) {
  if (text.size() <= size_bytes) return text;
  while (size_bytes > 0 && (static_cast<unsigned char>(text[size_bytes]) & 0xC0) == 0x80) --size_bytes;
  return text.substr(0, size_bytes);
}

} // namespace

bool is_seen_by_others(const source_url& source) {
  switch (source.kind) {
    case source_kind::rdp: return !is_loopback(source.host);
    case source_kind::generator: return true; // Made of its seed alone.
    case source_kind::x11:
    case source_kind::file:
    case source_kind::standard_input: break;
  }
  return false;
}

std::string continued_title(std::string_view title, const session_id& from, std::string_view recorder) {
  std::string end(continued);
  end.append(short_id(from)).append(" on ").append(recorder).append(")");
  auto begin = cut_utf8(without_continuation(title), text_bytes_max - std::min(text_bytes_max, end.size() + 1));
  return begin.empty() ? end : std::string(begin).append(" ").append(end);
}

std::optional<std::uint32_t> remaining_seconds(const standby_plan& plan, unix_time_us wall) {
  auto length = plan.wish.policy.length_seconds_max;
  if (length == 0) return 0;
  auto passed = std::max<std::int64_t>(0, wall - plan.created_us) / us_per_second;
  if (passed >= length) return std::nullopt;
  return length - static_cast<std::uint32_t>(passed);
}

session_create_request continued_wish(const standby_plan& plan, std::string_view recorder, std::uint32_t length_seconds) {
  session_create_request wish;
  wish.policy = plan.wish.policy;
  wish.policy.title = continued_title(plan.wish.policy.title, plan.session, recorder);
  wish.policy.length_seconds_max = length_seconds;
  auto& what = plan.wish.what; // Field by field: the password stays where it is.
  wish.what.source = what.source;
  wish.what.username = what.username;
  wish.what.width = what.width;
  wish.what.height = what.height;
  wish.what.frame_rate_max = what.frame_rate_max;
  wish.what.encoder = what.encoder;
  wish.what.quality = what.quality;
  return wish;
}

outcome<void> check_plan(const standby_plan& plan) {
  auto refuse = [](std::string what) { return fail(errc::invalid_input, "standby", std::move(what)); };
  auto source = parse_source_url(plan.wish.what.source);
  if (!source) return pass_on(std::move(source));
  if (!is_seen_by_others(*source))
    return fail(errc::unsupported, "standby", "no other node sees the source " + shown_source(*source));
  auto& what = plan.wish.what;
  auto& policy = plan.wish.policy;
  if (what.username.size() > worker_word_size_bytes_max || what.password.size() > worker_secret_size_bytes_max)
    return refuse("a user name has at most 256 bytes, a password 1024");
  if (what.width < 64 || what.width > 8192 || what.height < 64 || what.height > 8192)
    return refuse("a desktop has 64 to 8192 pixels each way");
  if (what.frame_rate_max < 1 || what.frame_rate_max > 120 || what.quality > 51 || what.encoder.size() > encoder_bytes_max)
    return refuse("frame rate, quality or encoder are out of bounds");
  if (policy.title.size() > text_bytes_max || policy.owner.size() > text_bytes_max)
    return refuse("title and owner have at most 200 bytes each");
  if (policy.recipients.empty() || policy.recipients.size() > recipient_count_max)
    return refuse("a recording has 1 to 64 recipients");
  if (plan.created_us < 0) return refuse("a session was not created before 1970");
  return {};
}

// Copied and wiped, not moved: a short string that is moved leaves its bytes behind.
kept_plan::kept_plan(kept_plan&& other) noexcept : plan_(other.plan_) { other.wipe_password(); }

kept_plan& kept_plan::operator=(kept_plan&& other) noexcept {
  if (this == &other) return *this;
  wipe_password();
  plan_ = other.plan_;
  other.wipe_password();
  return *this;
}

void kept_plan::wipe_password() noexcept { wipe(plan_.wish.what.password); }

} // namespace lucid
