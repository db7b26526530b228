// actors/node/node.cpp - starts and stops everything, in order.
#include "actors/node/node.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <nlohmann/json.hpp>

#include "actors/console/config_json.hpp"
#include "actors/node/node_archive.hpp"
#include "actors/node/node_keys.hpp"
#include "actors/node/node_mesh.hpp"
#include "actors/node/node_tree.hpp"
#include "adapters/files/capsule_folder.hpp"
#include "adapters/files/folder_lock.hpp"
#include "adapters/files/pin_file.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "adapters/http/http_client.hpp"
#include "adapters/sodium/system_random.hpp"
#include "messages/data_layout.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/version.hpp"
#include "runtime/actor_system.hpp"
#include "runtime/directory/directory.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/log/log.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

constexpr auto ready_patience = 10s;       ///< Opening the store after a crash, on a slow card.
constexpr auto ready_poll = 2ms;
constexpr auto sessions_end_patience = 30s; ///< What is not anchored by then is finished at the next start.
constexpr auto capsules_patience = 5s;      ///< For those that are not yet written when the node stops.
constexpr std::size_t capsules_waiting_max = 64;
constexpr std::size_t reader_threads = 2;    ///< One may verify for minutes; the other serves meanwhile.
constexpr std::size_t reads_waiting_max = 32; ///< For each of them.
constexpr auto tree_stop_slack = 10s;       ///< Beside the time that actors which hang are given.

std::size_t or_cores(std::uint32_t wanted) {
  return wanted != 0 ? wanted : std::max(1u, std::thread::hardware_concurrency());
}

/// A path may be no UTF-8.
std::string told(const nlohmann::json& object) {
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void log_supervision(const supervision_event& event) {
  if (event.reason.empty() || event.reason == "ended normally")
    log::debug(event.path, "{} (incarnation {})", event.what, event.incarnation);
  else
    log::warn(event.path, "{} (incarnation {}): {}", event.what, event.incarnation, event.reason);
}

} // namespace

/// In order of construction; destroyed in reverse, the actors before what they stand on.
struct node::parts {
  explicit parts(folder_lock held, configuration given)
    : lock(std::move(held)), settings(std::move(given)), pool(or_cores(settings.node.work_threads)),
      caf_settings(or_cores(settings.node.scheduler_threads), false,
                   settings.mesh.listen.empty() ? std::nullopt : std::optional(middleman_of(settings))) {}

  ~parts();
  outcome<void> begin(const node_options& options);
  outcome<void> wait_until_ready();
  std::optional<error> ended_with();
  void end_sessions();
  void ask_to_stop();
  void root_ended(const std::optional<error>& last_word);
  void keep(crash_capsule capsule);
  void write_capsules();

  folder_lock lock;
  configuration settings;
  std::atomic<bool> ending{false};
  system_clock_port clock;
  system_random random;
  thread_pool pool;
  directory names;
  std::shared_ptr<file_system> files = std::make_shared<posix_file_system>();
  std::shared_ptr<session_vault> vault = std::make_shared<session_vault>();
  std::shared_ptr<capsule_store> capsules =
    std::make_shared<capsule_folder>(*files, capsules_folder(settings.node.data_dir));
  thread_pool readers{reader_threads, reads_waiting_max}; ///< For the console: sealing never waits for who looks.
  thread_pool capsule_writer{1, capsules_waiting_max}; ///< A restart does not wait for the disk.

  std::mutex mutex;
  std::condition_variable news;
  bool stop_wanted = false;
  std::optional<error> last_word;

  std::unique_ptr<node_mesh> mesh; ///< Before the actors that use it, after what it tells of refusals.
  runtime_config caf_settings;
  std::unique_ptr<caf::actor_system> system;
  caf::actor root;
};

outcome<void> node::parts::begin(const node_options& options) {
  auto keys = load_node_keys(settings, *files, random, clock.wall_us());
  if (!keys) return pass_on(std::move(keys));
  auto recipients = default_recipients(settings, *files);
  if (!recipients) return pass_on(std::move(recipients));

  node_parts owned;
  owned.settings = settings;
  owned.keys = std::move(*keys);
  owned.recipients = std::move(*recipients);
  owned.files = files;
  owned.pins = std::make_shared<pin_file>(*files, settings.node.data_dir / "pins");
  owned.vault = vault;
  owned.capsules = capsules;
  owned.refusals = std::make_shared<refusal_book>();
  if (!settings.mesh.listen.empty()) {
    auto opened = node_mesh::open(settings, owned.keys.sign, owned.keys.box, files, random, clock, owned.refusals);
    if (!opened) return pass_on(std::move(opened));
    mesh = std::move(*opened);
    owned.mesh = mesh.get();
  }
  owned.records = std::make_shared<node_archive>(settings.node.data_dir, mesh ? mesh->cluster() : nullptr);
  owned.configuration_json = told(config_json(settings, options.origins));
  owned.pool = &pool;
  owned.readers = &readers;
  owned.random = &random;
  owned.started_us = clock.wall_us();
  owned.stop_node = [this] { ask_to_stop(); };
  owned.ending = [this] { return ending.load(); };
  owned.worker_executable = options.worker_executable;
  owned.input_fd = options.input_fd;

  system = std::make_unique<caf::actor_system>(caf_settings);
  runtime_services services{names, clock, random, log_supervision,
                            [this](crash_capsule capsule) { keep(std::move(capsule)); }};
  auto started = start_root(*system, services, node_tree(owned),
                            [this](const std::optional<error>& word) { root_ended(word); });
  if (!started) return pass_on(std::move(started));
  root = std::move(*started);
  return wait_until_ready();
}

// Ready is: store, ledger and recorder are there, and the control socket answers.
outcome<void> node::parts::wait_until_ready() {
  auto until = std::chrono::steady_clock::now() + ready_patience;
  while (std::chrono::steady_clock::now() < until) {
    if (http_call(settings.control.socket, "GET", "/v1/node", "", 2s)
          .map([](const http_response& answer) { return answer.status == 200; })
          .value_or(false))
      return {};
    if (auto word = ended_with()) return tl::unexpected(std::move(*word));
    std::this_thread::sleep_for(ready_poll);
  }
  return fail(errc::timeout, "node", "the node did not become ready in 10 s; its log says what it waits for");
}

std::optional<error> node::parts::ended_with() {
  std::lock_guard guard(mutex);
  return last_word;
}

void node::parts::end_sessions() {
  for (auto& session : vault->running())
    ref<session_api>(names, paths::of_session(session, "session"))
      .send_anonymous(session_stop_request{"the node was stopped"});
  auto until = std::chrono::steady_clock::now() + sessions_end_patience;
  while (vault->count() != 0 && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(10ms);
  if (vault->count() != 0) log::warn("node", "{} sessions are finished at the next start", vault->count());
}

void node::parts::ask_to_stop() {
  std::lock_guard guard(mutex);
  stop_wanted = true;
  news.notify_all();
}

void node::parts::root_ended(const std::optional<error>& word) {
  std::lock_guard guard(mutex);
  stop_wanted = true;
  last_word = word;
  news.notify_all();
}

void node::parts::keep(crash_capsule capsule) {
  auto posted = capsule_writer.post([this, capsule] {
    auto id = capsules->put(capsule);
    if (!id) log::error(capsule.path, "its crash capsule is lost: {}", to_string(id.error()));
  });
  if (!posted) log::error(capsule.path, "its crash capsule is lost: {}", to_string(posted.error()));
}

// One thread, in order: when this job runs, those before it are done.
void node::parts::write_capsules() {
  auto written = std::make_shared<std::promise<void>>();
  auto done = written->get_future();
  if (capsule_writer.post([written] { written->set_value(); })) done.wait_for(capsules_patience);
}

node::parts::~parts() {
  if (!root) return;
  ending = true;
  end_sessions();
  if (auto stopped = stop_root(root, tree_stop_slack + 2 * settings.supervision.shutdown_timeout); !stopped)
    log::error("node", "{}", to_string(stopped.error()));
  root = nullptr;
  if (mesh) mesh->close();
  system.reset();
  write_capsules();
}

node::node(std::unique_ptr<parts> owned) : parts_(std::move(owned)) {}
node::~node() {
  parts_.reset();
  log::info("node", "stopped");
}

outcome<std::unique_ptr<node>> node::start(const configuration& settings, const node_options& options) {
  posix_file_system files;
  if (auto made = files.make_folder(settings.node.data_dir); !made) return pass_on(std::move(made));
  auto lock = folder_lock::acquire(settings.node.data_dir);
  if (!lock) return pass_on(std::move(lock));
  auto owned = std::make_unique<parts>(std::move(*lock), settings);
  if (auto begun = owned->begin(options); !begun) return pass_on(std::move(begun));
  log::info("node", "{} ready: {}, data in {}", settings.node.name, software_name, settings.node.data_dir.string());
  return std::unique_ptr<node>(new node(std::move(owned)));
}

outcome<void> node::kill_actor(const std::string& path) {
  auto victim = parts_->names.slot(path)->present().actor;
  if (!victim) return fail(errc::not_found, "node", "there is no actor at " + path);
  caf::anon_send_exit(caf::actor_cast<caf::actor>(victim), caf::exit_reason::kill);
  return {};
}

std::vector<std::string> node::actor_paths() const {
  std::vector<std::string> paths;
  for (auto& slot : parts_->names.slots())
    if (slot->present().actor) paths.push_back(slot->path());
  return paths;
}

std::optional<outcome<void>> node::wait(std::chrono::milliseconds patience) {
  std::unique_lock guard(parts_->mutex);
  if (!parts_->news.wait_for(guard, patience, [&] { return parts_->stop_wanted; })) return std::nullopt;
  if (parts_->last_word) return outcome<void>(tl::unexpected(*parts_->last_word));
  return outcome<void>();
}

} // namespace lucid
