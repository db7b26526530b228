// adapters/tor/tor_router.cpp - process, control connection and keys put together.
#include "adapters/tor/tor_router.hpp"

#include <charconv>
#include <mutex>

#include "adapters/tor/control_client.hpp"
#include "adapters/tor/onion_keys.hpp"
#include "adapters/tor/tor_process.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

constexpr const char* who = "tor";

/// From the start of the process to its control port. On a slow card it reads some megabytes of state before.
constexpr auto control_port_max = 20s;

/// Tor's process and its control connection end one after the other; the process knows better why.
constexpr auto end_gap = 1s;

template <class Number>
Number number_in(std::string_view text) {
  Number value = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size() ? value : Number{0};
}

/// "NOTICE BOOTSTRAP PROGRESS=50 TAG=loading_descriptors SUMMARY=\"Loading relay descriptors\"", also with a warning.
onion_progress progress_in(control_words& words) {
  onion_progress progress;
  progress.percent = std::min(number_in<std::uint32_t>(words.values["PROGRESS"]), 100u);
  progress.summary = words.values["SUMMARY"];
  if (auto warning = words.values.find("WARNING"); warning != words.values.end())
    progress.trouble = warning->second + " (" + words.values["REASON"] + ")";
  return progress;
}

/// What an event says to the actor; none for the many that say nothing.
std::optional<onion_news> news_in(const control_reply& event) {
  auto split = split_control_words(event.lines.front().text);
  if (!split || split->words.size() < 2) return std::nullopt;
  auto& words = split->words;
  if (words[0] == "STATUS_CLIENT" && words.size() >= 3) {
    if (words[2] == "BOOTSTRAP") return progress_in(*split);
    if (words[2] == "CIRCUIT_ESTABLISHED") return onion_circuits{true, {}};
    if (words[2] == "CIRCUIT_NOT_ESTABLISHED") return onion_circuits{false, split->values["REASON"]};
    if (words[2] == "NOT_ENOUGH_DIR_INFO") return onion_circuits{false, "too few relays are known"};
  }
  if (words[0] == "NETWORK_LIVENESS")
    return onion_circuits{words[1] == "UP", words[1] == "UP" ? "" : "the network does not answer"};
  if (words[0] == "HS_DESC" && words.size() >= 3 && (words[1] == "UPLOADED" || words[1] == "FAILED"))
    return onion_upload{words[2] + ".onion", words[1] == "UPLOADED", split->values["REASON"]};
  return std::nullopt;
}

/// The sink, one at a time, silent after the end or on demand.
class news_gate {
public:
  explicit news_gate(onion_sink sink) : sink_(std::move(sink)) {}
  void tell(onion_news news) {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = std::holds_alternative<onion_gone>(news);
    sink_(std::move(news));
  }
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }

private:
  std::mutex mutex_;
  onion_sink sink_;
  bool closed_ = false;
};

class tor_router final : public onion_router {
public:
  tor_router(onion_keys keys, onion_sink sink) : keys_(std::move(keys)), gate_(std::make_shared<news_gate>(std::move(sink))) {}

  ~tor_router() override {
    gate_->close();
    control_.reset(); // First: with it end the onion services, and a tor of our own.
    process_.reset();
  }

  outcome<void> start_own(const tor_router_options& options) {
    auto gate = gate_;
    auto started = tor_process::start(
      {options.program, options.state_folder, options.extra_torrc},
      [gate](const std::string& line) {
        for (std::string_view level : {"[warn] ", "[err] "})
          if (auto at = line.find(level); at != std::string::npos) gate->tell(onion_warning{line.substr(at + level.size())});
      },
      [gate](const error& why) { gate->tell(onion_gone{why}); });
    if (!started) return pass_on(std::move(started));
    process_ = std::move(*started);
    auto address = process_->wait_for_control(control_port_max);
    if (!address) return pass_on(std::move(address));
    if (auto connected = connect({*address, process_->cookie_file()}); !connected) return connected;
    if (auto owned = control_->take_ownership(); !owned) return owned;
    auto socks = control_->get_info("net/listeners/socks");
    if (!socks) return pass_on(std::move(socks));
    // Quoted, several when tor.extra_torrc opens more: ours is the first.
    auto split = split_control_words(*socks);
    if (!split || split->words.empty()) return fail(errc::protocol_violation, who, "tor opened no SOCKS port");
    socks_ = split->words.front();
    return {};
  }

  outcome<void> use_given(const tor_router_options& options) {
    socks_ = options.socks;
    return connect({options.control, options.control_cookie});
  }

  outcome<void> make_ready() {
    auto client = keys_.client();
    if (!client) return pass_on(std::move(client));
    client_ = std::move(*client);
    return control_->set_events("STATUS_CLIENT NETWORK_LIVENESS HS_DESC");
  }

  outcome<onion_health> health() override {
    onion_health health;
    auto phase = control_->get_info("status/bootstrap-phase");
    if (!phase) return pass_on(std::move(phase));
    auto words = split_control_words(*phase);
    if (!words) return pass_on(std::move(words));
    health.progress = progress_in(*words);
    auto established = control_->get_info("status/circuit-established");
    if (!established) return pass_on(std::move(established));
    auto liveness = control_->get_info("network-liveness");
    if (!liveness) return pass_on(std::move(liveness));
    health.circuits = *established == "1" && *liveness == "up";
    auto read = control_->get_info("traffic/read");
    auto written = control_->get_info("traffic/written");
    health.read_bytes = read ? number_in<std::uint64_t>(*read) : 0;
    health.written_bytes = written ? number_in<std::uint64_t>(*written) : 0;
    return health;
  }

  outcome<std::string> publish(const std::vector<onion_port>& ports, const std::vector<box_public_key>& clients) override {
    auto kept = keys_.service();
    if (!kept) return pass_on(std::move(kept));
    if (*kept) {
      // Its ports and clients cannot be changed in place; connections that stand are not cut by this.
      if (!published_.empty())
        if (auto removed = withdraw(published_); !removed) return pass_on(std::move(removed));
      auto added = control_->add_onion(**kept, ports, clients);
      if (!added) return pass_on(std::move(added));
      return published_ = added->onion;
    }
    return publish_anew(ports, clients);
  }

  outcome<std::string> rotate(const std::vector<onion_port>& ports, const std::vector<box_public_key>& clients) override {
    return publish_anew(ports, clients);
  }

  outcome<void> withdraw(const std::string& onion) override {
    auto removed = control_->del_onion(onion);
    if (removed && onion == published_) published_.clear();
    return removed;
  }

  outcome<void> authorise(const std::string& onion) override { return control_->add_client_auth(onion, client_.secret); }
  outcome<void> forget(const std::string& onion) override { return control_->remove_client_auth(onion); }
  outcome<void> renew_circuits() override { return control_->signal("NEWNYM"); }

  std::string socks_address() const override { return socks_; }
  box_public_key client_key() const override { return client_.public_key; }
  std::string version() const override { return control_->version().substr(0, control_->version().find(' ')); }
  std::optional<int> process_id() const override {
    return process_ ? std::optional(process_->process_id()) : std::nullopt;
  }

private:
  outcome<void> connect(const control_options& options) {
    auto gate = gate_;
    auto* process = process_.get(); // Outlives the connection.
    auto connected = control_client::connect(
      options,
      [gate](const control_reply& event) {
        if (auto news = news_in(event)) gate->tell(std::move(*news));
      },
      [gate, process](const error& why) {
        auto ended = process ? process->wait_for_end(end_gap) : std::nullopt;
        gate->tell(onion_gone{ended.value_or(why)});
      });
    if (!connected) return pass_on(std::move(connected));
    control_ = std::move(*connected);
    return {};
  }

  /// The key is kept before anybody is told of its address: an address without a key is lost.
  outcome<std::string> publish_anew(const std::vector<onion_port>& ports, const std::vector<box_public_key>& clients) {
    auto added = control_->add_onion({}, ports, clients);
    if (!added) return pass_on(std::move(added));
    if (auto kept = keys_.keep_service(added->new_key); !kept) {
      (void)control_->del_onion(added->onion);
      return pass_on(std::move(kept));
    }
    return published_ = added->onion;
  }

  onion_keys keys_;
  std::shared_ptr<news_gate> gate_;
  onion_client_key client_;
  std::string socks_;
  std::string published_;
  std::unique_ptr<tor_process> process_;
  std::unique_ptr<control_client> control_;
};

} // namespace

outcome<std::unique_ptr<onion_router>> start_tor_router(const tor_router_options& options, onion_sink sink) {
  auto keys = onion_keys::open(options.key_folder);
  if (!keys) return pass_on(std::move(keys));
  auto router = std::make_unique<tor_router>(std::move(*keys), std::move(sink));
  auto begun = options.control.empty() ? router->start_own(options) : router->use_given(options);
  if (!begun) return pass_on(std::move(begun));
  if (auto ready = router->make_ready(); !ready) return pass_on(std::move(ready));
  return router;
}

onion_router_starter tor_router_starter(tor_router_options options) {
  return [options = std::move(options)](onion_sink sink) { return start_tor_router(options, std::move(sink)); };
}

} // namespace lucid
