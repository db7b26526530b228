// actors/console/access_core.hpp - who may use the console over TCP: login links, cookie sessions, forged requests.
//
// On TCP nothing is known of whoever asks, and browsers ask on behalf of pages that are not ours. So a request passes
// three checks: it was made to us by name (Host: else any name that an attacker lets resolve to 127.0.0.1 would do),
// it was not made by another page (Origin, and for changes a token that only our page can read), and it has the cookie
// of somebody who came in through a login link.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/outcome.hpp"
#include "messages/ports/random.hpp"

namespace lucid {

/// Memory: (login_count_max + session_count_max) x 200 bytes.
struct access_limits {
  std::size_t login_count_max = 16;            ///< Links not yet used; a new one beyond them replaces the oldest.
  std::chrono::minutes login_age_max{10};
  std::size_t session_count_max = 32;          ///< Beyond them the one that was idle longest is logged out.
  std::chrono::minutes session_idle_max{30};
  std::chrono::hours session_age_max{12};      ///< Also a page that is never left alone asks for a new link then.
};

/// What of a request decides whether it may pass. Views into the request.
struct access_request {
  std::string_view method;
  std::string_view path;   ///< Without the query.
  std::string_view host;
  std::string_view origin; ///< Empty: none was sent.
  std::string_view cookie; ///< The whole header.
  std::string_view csrf;   ///< X-Lucid-CSRF.
  bool wants_stream = false;
};

/// Whoever passed.
struct visitor {
  std::uint64_t session = 0;  ///< Its number, for logs and the audit log; 0: nobody in particular, on an open path.
  std::string csrf;           ///< What the page must send with every change.
};

/// What a login gives.
struct console_login {
  visitor who;
  std::string set_cookie; ///< The value of the header Set-Cookie. Secret.
};

/// Login links and the sessions that came of them.
///
/// Times are of the monotonic clock. Threads: none; one owner.
/// Secrets: links, cookies and CSRF tokens are 32 random bytes in hexadecimal digits, compared in constant time.
/// Errors: `permission_denied` (403) for a wrong Host, Origin or CSRF token; `login_failed` (401) without a valid
/// cookie or link. Their text never repeats what was sent.
class access_core {
public:
  using time = std::chrono::nanoseconds;

  /// `authorities`: under which names the console can be reached, each as "host:port". `tls`: whether it is by https.
  access_core(access_limits limits, std::vector<std::string> authorities, bool tls);

  /// The token of a new link, good for one login.
  std::string make_login(random_port& random, time now);

  /// Uses up the link. Host and Origin are `admit`'s: call that first, for "/login".
  outcome<console_login> log_in(std::string_view token, random_port& random, time now);

  /// Whether a request may pass, and who makes it.
  outcome<visitor> admit(const access_request& request, time now);

  /// Ends the session of `who`. Returns the value of Set-Cookie that has the browser forget it.
  std::string log_out(const visitor& who);

  /// Whether the session still lasts: a stream outlives the request that began it.
  bool lasts(const visitor& who, time now);

  std::size_t session_count() const noexcept { return sessions_.size(); }

private:
  struct link {
    std::string token;
    time made;
  };
  struct session {
    std::uint64_t number;
    std::string cookie, csrf;
    time began, used;
  };

  void forget_old(time now);
  session* find(std::string_view cookie_header);
  outcome<void> check_names(const access_request& request) const;

  access_limits limits_;
  std::vector<std::string> authorities_;
  std::vector<std::string> origins_;
  bool tls_;
  std::vector<link> links_;       // Oldest first.
  std::vector<session> sessions_;
  std::uint64_t last_number_ = 0;
};

/// Whether `path` is answered to anybody who may connect: the pages, health, metrics, and the way in.
bool is_open_path(std::string_view path) noexcept;

/// The names of a console that listens on `address`, the best first: `names`, the address unless it stands for all of the
/// machine's, and "localhost" for a loopback address. Browsers leave the port out where it is the scheme's own.
std::vector<std::string> console_authorities(std::string_view address, std::uint16_t port,
                                             const std::vector<std::string>& names = {}, bool tls = false);

/// The HTTP status of what `access_core` answers.
unsigned access_status(errc code) noexcept;

/// The headers of every answer on TCP: nothing but our own files runs, loads or frames our pages.
std::vector<std::pair<std::string, std::string>> security_headers();

} // namespace lucid
