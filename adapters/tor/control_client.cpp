// adapters/tor/control_client.cpp - a reading thread, a question that waits for it, the commands' words.
// Source: Tor control-spec.
#include "adapters/tor/control_client.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <sys/socket.h>
#include <thread>

#include <sodium.h>

#include "adapters/tor/control_socket.hpp"
#include "adapters/tor/onion_keys.hpp"
#include "messages/bytes.hpp"

namespace lucid {
namespace {

constexpr const char* who = "tor";

/// Replies are small, most of them events of one line.
constexpr std::size_t read_bytes = 4096;

constexpr std::size_t cookie_bytes = 32;
constexpr std::size_t nonce_bytes = 32;

using cookie = std::array<std::uint8_t, cookie_bytes>;
using hash = std::array<std::uint8_t, crypto_auth_hmacsha256_BYTES>;

/// HMAC-SHA256 over cookie and both nonces. Source: control-spec, AUTHCHALLENGE.
hash safe_cookie_hash(std::string_view key, byte_view secret, byte_view client_nonce, byte_view server_nonce) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, as_bytes(key).data(), key.size());
  for (auto part : {secret, client_nonce, server_nonce}) crypto_auth_hmacsha256_update(&state, part.data(), part.size());
  hash made;
  crypto_auth_hmacsha256_final(&state, made.data());
  sodium_memzero(&state, sizeof state);
  return made;
}

constexpr std::string_view server_key = "Tor safe cookie authentication server-to-controller hash";
constexpr std::string_view client_key = "Tor safe cookie authentication controller-to-server hash";

outcome<void> read_cookie(const std::filesystem::path& file, cookie& into) {
  auto bytes = tor_posix::read_file(file, cookie_bytes);
  if (!bytes) return fail(bytes.error().code, who, "the control cookie cannot be read", bytes.error());
  auto fits = bytes->size() == cookie_bytes;
  if (fits) std::copy(bytes->begin(), bytes->end(), into.begin());
  tor_secret_text::clear(*bytes);
  if (!fits) return fail(errc::wrong_key, who, file.string() + " is no control cookie: it has not 32 bytes");
  return {};
}

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    auto end = std::min(list.find(','), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

/// "abc...xyz" of "abc...xyz.onion": how commands name a service.
outcome<std::string> service_id(std::string_view onion) {
  if (!is_onion_host(onion))
    return fail(errc::invalid_input, who, "not the name of an onion service: \"" + std::string(onion.substr(0, 100)) + "\"");
  return std::string(onion.substr(0, onion.size() - std::string_view(".onion").size()));
}

outcome<void> without_value(outcome<control_reply>&& reply) {
  if (!reply) return pass_on(std::move(reply));
  return {};
}

} // namespace

class control_client::impl {
public:
  impl(const control_options& options, tor_posix::file_descriptor socket, event_sink events, end_sink end)
    : options_(options), socket_(std::move(socket)), events_(std::move(events)), end_(std::move(end)) {
    thread_ = std::thread([this] { listen(); });
  }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  ~impl() {
    silent_ = true;
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }

  outcome<control_reply> ask(std::string_view command) {
    if (command.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
      return fail(errc::invalid_input, who, "a line end in a command for Tor");
    std::lock_guard one_at_a_time(asking_);
    std::unique_lock lock(mutex_);
    if (ended_) return tl::unexpected(*ended_);
    answer_.reset();
    waiting_ = true;
    lock.unlock();
    auto sent = send(command);
    if (sent) sent = send("\r\n");
    if (!sent) {
      ::shutdown(socket_.get(), SHUT_RDWR);
      return pass_on(std::move(sent));
    }
    lock.lock();
    auto heard = answered_.wait_for(lock, options_.answer_max, [this] { return answer_ || ended_; });
    waiting_ = false;
    if (!heard) {
      ::shutdown(socket_.get(), SHUT_RDWR);
      return fail(errc::timeout, who,
                  "no answer within " + std::to_string(options_.answer_max.count()) + " ms to " + first_word(command));
    }
    if (!answer_) return tl::unexpected(*ended_);
    auto reply = std::move(*answer_);
    answer_.reset();
    if (!reply.ok()) return fail(errc::refused, who, "to " + first_word(command) + " Tor said: " + reply.text());
    return reply;
  }

  outcome<void> authenticate() {
    auto protocol = ask("PROTOCOLINFO 1");
    if (!protocol) return pass_on(std::move(protocol));
    control_words offer;
    for (auto& line : protocol->lines) {
      auto words = split_control_words(line.text);
      if (!words) return pass_on(std::move(words));
      if (words->words.empty()) continue;
      if (words->words[0] == "AUTH") offer = std::move(*words);
      else if (words->words[0] == "VERSION") version_ = words->values["Tor"];
    }
    auto methods = offer.values["METHODS"];
    if (has_word(methods, "SAFECOOKIE") || has_word(methods, "COOKIE"))
      return authenticate_by_cookie(has_word(methods, "SAFECOOKIE"), offer.values["COOKIEFILE"]);
    if (has_word(methods, "NULL")) return without_value(ask("AUTHENTICATE"));
    return fail(errc::unsupported, who,
                "the control port " + options_.address + " takes no cookie (it offers: " + methods +
                  "); set CookieAuthentication 1 in that Tor's torrc");
  }

  const control_options& options() const noexcept { return options_; }
  const std::string& version() const noexcept { return version_; }

private:
  static std::string first_word(std::string_view command) { return std::string(command.substr(0, command.find(' '))); }

  outcome<void> send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return fail(errc::timeout, who, "Tor reads no commands");
      if (sent < 0) return fail(errc::unreachable, who, "the control connection is closed");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
  }

  outcome<void> authenticate_by_cookie(bool safe, const std::string& told_file) {
    auto file = options_.cookie.empty() ? std::filesystem::path(told_file) : options_.cookie;
    if (file.empty()) return fail(errc::not_found, who, "Tor does not say where its control cookie is; set tor.control_cookie");
    struct wiped_cookie {
      cookie bytes{};
      ~wiped_cookie() { sodium_memzero(bytes.data(), bytes.size()); }
    } secret;
    if (auto read = read_cookie(file, secret.bytes); !read) return read;
    auto proof = safe ? prove(secret.bytes, file) : outcome<std::string>(to_hex(secret.bytes));
    if (!proof) return pass_on(std::move(proof));
    std::string command;
    command.reserve(200);
    auto answer = ask(command.append("AUTHENTICATE ").append(*proof));
    tor_secret_text::clear(command);
    tor_secret_text::clear(*proof);
    if (!answer && answer.error().code == errc::refused)
      return fail(errc::wrong_key, who, "Tor does not take the cookie in " + file.string(), answer.error());
    return without_value(std::move(answer));
  }

  /// The hash that proves knowledge of the cookie, after Tor has proven it. As hexadecimal digits.
  outcome<std::string> prove(const cookie& secret, const std::filesystem::path& file) {
    std::array<std::uint8_t, nonce_bytes> ours{}, theirs{};
    hash server_hash{};
    randombytes_buf(ours.data(), ours.size());
    auto challenge = ask("AUTHCHALLENGE SAFECOOKIE " + to_hex(ours));
    if (!challenge) return pass_on(std::move(challenge));
    auto words = split_control_words(challenge->lines.back().text);
    if (!words) return pass_on(std::move(words));
    if (!from_hex_into(words->values["SERVERNONCE"], theirs) || !from_hex_into(words->values["SERVERHASH"], server_hash))
      return fail(errc::protocol_violation, who, "an AUTHCHALLENGE answer without hash and nonce");
    auto expected = safe_cookie_hash(server_key, secret, ours, theirs);
    if (sodium_memcmp(expected.data(), server_hash.data(), expected.size()) != 0)
      return fail(errc::wrong_key, who,
                  "the Tor at " + options_.address + " does not know the cookie in " + file.string() +
                    ": it is another Tor's, or from an earlier run");
    return to_hex(safe_cookie_hash(client_key, secret, ours, theirs));
  }

  // --- the reading thread ------------------------------------------------------------------------------------------

  void listen() {
    std::array<char, read_bytes> bytes;
    error why{errc::unreachable, who, "Tor closed the control connection", nullptr};
    for (;;) {
      auto got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      auto replies = reader_.feed({bytes.data(), static_cast<std::size_t>(got)});
      sodium_memzero(bytes.data(), static_cast<std::size_t>(got)); // A new key may be among it.
      if (!replies) {
        why = replies.error();
        ::shutdown(socket_.get(), SHUT_RDWR);
        break;
      }
      for (auto& reply : *replies) hear(std::move(reply));
    }
    {
      std::lock_guard lock(mutex_);
      ended_ = why;
    }
    answered_.notify_all();
    if (!silent_ && end_) end_(why);
  }

  void hear(control_reply reply) {
    if (reply.event()) {
      if (!silent_ && events_) events_(reply);
      return;
    }
    std::lock_guard lock(mutex_);
    if (!waiting_ || answer_) return; // An answer to nothing; Tor sends none, and it would change nothing.
    answer_ = std::move(reply);
    answered_.notify_all();
  }

  control_options options_;
  tor_posix::file_descriptor socket_;
  event_sink events_;
  end_sink end_;
  std::string version_;
  std::mutex asking_;
  std::mutex mutex_; ///< Of what follows, up to the reader.
  std::condition_variable answered_;
  bool waiting_ = false;
  std::optional<control_reply> answer_;
  std::optional<error> ended_;
  control_reader reader_; ///< Of the reading thread.
  std::atomic<bool> silent_ = false;
  std::thread thread_;
};

control_client::control_client(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
control_client::~control_client() = default;

outcome<std::unique_ptr<control_client>> control_client::connect(const control_options& options, event_sink events,
                                                                 end_sink end) {
  static const int ready = sodium_init();
  if (ready < 0) std::abort(); // No random source; as everywhere.
  auto socket = connect_control(options.address, options.answer_max);
  if (!socket) return pass_on(std::move(socket));
  std::unique_ptr<control_client> client(
    new control_client(std::make_unique<impl>(options, std::move(*socket), std::move(events), std::move(end))));
  if (auto let_in = client->impl_->authenticate(); !let_in) return pass_on(std::move(let_in));
  return client;
}

outcome<control_reply> control_client::ask(std::string_view command) { return impl_->ask(command); }
const std::string& control_client::version() const noexcept { return impl_->version(); }

outcome<std::string> control_client::get_info(std::string_view key) {
  auto reply = ask("GETINFO " + std::string(key));
  if (!reply) return pass_on(std::move(reply));
  auto value = reply->value(key);
  if (!value) return fail(errc::protocol_violation, who, "Tor's answer names no " + std::string(key));
  return std::move(*value);
}

outcome<void> control_client::set_events(std::string_view names) {
  return without_value(ask("SETEVENTS " + std::string(names)));
}

outcome<void> control_client::take_ownership() { return without_value(ask("TAKEOWNERSHIP")); }
outcome<void> control_client::signal(std::string_view name) { return without_value(ask("SIGNAL " + std::string(name))); }

outcome<added_onion> control_client::add_onion(const tor_secret_text& key, const std::vector<onion_port>& ports,
                                               const std::vector<box_public_key>& clients) {
  if (ports.empty() || ports.size() > onion_ports_max || clients.size() > onion_clients_max)
    return fail(errc::invalid_input, who, "an onion service has 1 to 8 ports, and at most 256 clients");
  if (!key.empty() && !is_onion_key(key.reveal())) return fail(errc::invalid_input, who, "not a key of an onion service");
  std::string command;
  command.reserve(400 + 80 * clients.size()); // So that growing leaves no part of the key behind.
  command.append("ADD_ONION ").append(key.empty() ? "NEW:ED25519-V3" : key.reveal());
  if (!clients.empty()) command.append(" Flags=V3Auth");
  for (auto& port : ports)
    command.append(" Port=" + std::to_string(port.virtual_port) + ",127.0.0.1:" + std::to_string(port.local_port));
  for (auto& client : clients) command.append(" ClientAuthV3=").append(base32(client));
  auto reply = ask(command);
  tor_secret_text::clear(command);
  if (!reply) return pass_on(std::move(reply));
  added_onion added;
  added.onion = reply->value("ServiceID").value_or("") + ".onion";
  if (auto made = reply->value("PrivateKey")) added.new_key = tor_secret_text(std::move(*made));
  for (auto& line : reply->lines) tor_secret_text::clear(line.text);
  if (!is_onion_host(added.onion) || added.new_key.empty() == key.empty())
    return fail(errc::protocol_violation, who, "Tor's answer to ADD_ONION names no service and key");
  return added;
}

outcome<void> control_client::del_onion(std::string_view onion) {
  auto id = service_id(onion);
  if (!id) return pass_on(std::move(id));
  return without_value(ask("DEL_ONION " + *id));
}

outcome<void> control_client::add_client_auth(std::string_view onion, const tor_secret_text& secret) {
  auto id = service_id(onion);
  if (!id) return pass_on(std::move(id));
  std::string command;
  command.reserve(200);
  command.append("ONION_CLIENT_AUTH_ADD ").append(*id).append(" x25519:").append(secret.reveal());
  auto reply = ask(command);
  tor_secret_text::clear(command);
  return without_value(std::move(reply));
}

outcome<void> control_client::remove_client_auth(std::string_view onion) {
  auto id = service_id(onion);
  if (!id) return pass_on(std::move(id));
  return without_value(ask("ONION_CLIENT_AUTH_REMOVE " + *id));
}

} // namespace lucid
