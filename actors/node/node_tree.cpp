// actors/node/node_tree.cpp - every child spec of a node in one place.
#include "actors/node/node_tree.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <caf/message.hpp>

#include "actors/adoption/adoption_actor.hpp"
#include "actors/adoption/adoption_core.hpp"
#include "actors/anchor/anchor_actor.hpp"
#include "actors/anchor/anchoring_actor.hpp"
#include "actors/blobs/blobs_actor.hpp"
#include "actors/capture/capture_actor.hpp"
#include "actors/chunk/chunk_actor.hpp"
#include "actors/console/audit_actor.hpp"
#include "actors/console/console_actor.hpp"
#include "actors/journal/journal_actor.hpp"
#include "actors/ledger/ledger_actor.hpp"
#include "actors/manifest/manifest_actor.hpp"
#include "actors/mesh/gateway_actor.hpp"
#include "actors/mesh/links_actor.hpp"
#include "actors/recorder/recorder_actor.hpp"
#include "actors/recorder/standby_actor.hpp"
#include "actors/replication/replication_actor.hpp"
#include "actors/seal/placed_seal_actor.hpp"
#include "actors/seal/seal_actor.hpp"
#include "actors/seal/sealing_actor.hpp"
#include "actors/session/session_actor.hpp"
#include "actors/mesh/tor_actor.hpp"
#include "actors/store/recording_source.hpp"
#include "actors/store/replica_actor.hpp"
#include "actors/store/store_actor.hpp"
#include "adapters/files/hard_link.hpp"
#include "adapters/machine/proc_machine.hpp"
#include "adapters/process/worker_process.hpp"
#include "adapters/tor/tor_router.hpp"
#include "messages/data_layout.hpp"
#include "messages/paths.hpp"
#include "runtime/config/explain.hpp"
#include "runtime/log/log.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

/// Above what the console itself waits for: a join over Tor takes up to two minutes, an audit of copies as long.
constexpr auto slow_answer_max = 170s;

/// Restarts that a session's or the storage's children may need under fault injection and on bad days; the
/// configuration's own bound where that is higher.
supervisor_spec supervisor(const configuration& settings, std::string id, strategy how) {
  supervisor_spec spec;
  spec.id = std::move(id);
  spec.how = how;
  spec.restarts_max = settings.supervision.restarts_max;
  spec.period = settings.supervision.period;
  spec.delay = {settings.supervision.backoff_min, settings.supervision.backoff_max};
  return spec;
}

/// The child with the configured back-off and patience.
child_spec configured(child_spec child, const configuration& settings) {
  child.delay = {settings.supervision.backoff_min, settings.supervision.backoff_max};
  child.shutdown_timeout = settings.supervision.shutdown_timeout;
  return child;
}

store_opener open_store(const node_parts& parts) {
  auto& settings = parts.settings;
  return recording_store_opener({settings.node.data_dir, settings.store.free_bytes_min, settings.store.cache_bytes_max},
                                parts.files,
                                [](const error& found) { log::warn(paths::store, "{}", to_string(found)); });
}

bool may(const std::vector<std::string>& nodes, const node_parts& parts) {
  return names_node(nodes, parts.settings.node.name);
}

replica_settings replicas_of(const node_parts& parts) {
  auto& settings = parts.settings;
  return {parts.mesh->self(),
          {replicas_folder(settings.node.data_dir), settings.store.free_bytes_min, settings.store.cache_bytes_max},
          parts.files,
          parts.keys.sign,
          [](const error& found) { log::warn(paths::replicas, "{}", to_string(found)); },
          [cluster = parts.mesh->cluster()](const node_id& from, const node_id& to) {
            return may_change_hands(cluster->view(), from, to);
          }};
}

adoption_parts adoption_of(const node_parts& parts) {
  auto& settings = parts.settings;
  auto data = settings.node.data_dir;
  adoption_parts made;
  made.node_box = parts.keys.box;
  made.copies = make_recording_source({replicas_folder(data), settings.store.free_bytes_min, settings.store.cache_bytes_max},
                                      *parts.files);
  made.cluster = parts.mesh->cluster();
  made.pool = std::shared_ptr<work_pool>(std::shared_ptr<void>(), parts.readers); // The node's own, which outlives it.
  // Chunk files are never changed once they are written; where there are no links the store writes the bytes.
  made.share = [data](const chunk_key& key) { (void)hard_link(chunk_file(replicas_folder(data), key), chunk_file(data, key)); };
  return made;
}

replication_parts replication_of(const node_parts& parts) {
  auto& settings = parts.settings;
  replication_parts made;
  made.self = parts.mesh->self();
  made.limits.copies = settings.replication.copies;
  made.limits.preference = settings.placement.replicas;
  made.limits.repair_after = settings.replication.repair_after;
  made.challenge_interval = settings.replication.challenge_interval;
  made.challenges = challenges_file(settings.node.data_dir);
  made.source = make_recording_source({settings.node.data_dir, settings.store.free_bytes_min, settings.store.cache_bytes_max},
                                      *parts.files);
  made.cluster = parts.mesh->cluster();
  made.pool = std::shared_ptr<work_pool>(std::shared_ptr<void>(), parts.readers); // The node's own, which outlives it.
  made.signs = parts.keys.sign;
  return made;
}

/// Anchoring is done here, or, where it is placed, by whichever node has the role.
child_spec anchor_of(const node_parts& parts) {
  auto& settings = parts.settings;
  anchor_limits limits;
  limits.batch_window = settings.anchor.batch_interval;
  limits.batch_count_max = settings.anchor.batch_entries_max;
  limits.retry_min = settings.anchor.retry_interval;
  limits.retry_max = std::max(limits.retry_min, limits.retry_max);
  if (!parts.mesh || settings.placement.anchor.empty()) return anchor_child(limits);
  // The answer to a batch is one message; the first kilobyte is for what is around it.
  limits.batch_count_max = std::min<std::size_t>(limits.batch_count_max,
                                                 settings.mesh.message_bytes_max / remote_anchor_bytes_max - 1);
  return anchor_child(limits, parts.mesh->cluster());
}

supervisor_spec storage_tree(const node_parts& parts) {
  auto& settings = parts.settings;
  auto spec = supervisor(settings, "storage", strategy::rest_for_one);
  spec.children = {
    configured(store_child(open_store(parts)), settings),
    configured(ledger_child({ledger_file_opener(settings.node.data_dir), parts.keys.sign}), settings),
    configured(anchor_of(parts), settings),
  };
  return spec;
}

tor_settings tor_of(const node_parts& parts) {
  auto& settings = parts.settings;
  tor_router_options router;
  router.state_folder = mesh_folder(settings.node.data_dir) / "tor";
  router.key_folder = settings.keys.dir;
  router.program = settings.tor.program;
  router.extra_torrc = settings.tor.extra_torrc;
  router.control = settings.tor.control;
  router.control_cookie = settings.tor.control_cookie;
  router.socks = settings.tor.socks;
  tor_settings tor;
  tor.start = tor_router_starter(std::move(router));
  tor.limits.bootstrap_timeout = settings.tor.bootstrap_timeout;
  return tor;
}

/// Whether this node is one of those that record on for each other.
bool stands_by(const node_parts& parts) {
  auto& recorders = parts.settings.placement.capture;
  return may(recorders, parts) && stand_in_for_each_other(recorders);
}

/// What other nodes may speak to.
std::vector<std::string> exports_of(const node_parts& parts) {
  std::vector<std::string> exported;
  if (may(parts.settings.placement.seal, parts)) exported.emplace_back(paths::sealing);
  if (may(parts.settings.placement.anchor, parts)) exported.emplace_back(paths::anchoring);
  if (may(parts.settings.placement.replicas, parts)) exported.emplace_back(paths::replicas);
  if (stands_by(parts)) exported.emplace_back(paths::standby);
  return exported;
}

supervisor_spec mesh_tree(const node_parts& parts) {
  auto& settings = parts.settings;
  auto spec = supervisor(settings, std::string(paths::mesh), strategy::one_for_one);
  if (settings.mesh.transport != "tcp") spec.children.push_back(configured(tor_child(tor_of(parts)), settings));
  spec.children.push_back(configured(links_child(parts.mesh->links()), settings));
  spec.children.push_back(configured(blobs_child(parts.mesh->blobs()), settings));
  spec.children.push_back(configured(gateway_child(parts.mesh->gateway(exports_of(parts))), settings));
  return spec;
}

/// Apart from the node's own storage: what happens to copies is no reason to start that anew.
supervisor_spec copies_tree(const node_parts& parts) {
  auto& settings = parts.settings;
  auto spec = supervisor(settings, "copies", strategy::one_for_one);
  if (may(settings.placement.replicas, parts)) spec.children.push_back(configured(replicas_child(replicas_of(parts)), settings));
  spec.children.push_back(configured(replication_child(replication_of(parts)), settings));
  spec.children.push_back(configured(manifest_child({{}, {}, parts.keys.sign}), settings)); // Serves adoption.
  spec.children.push_back(configured(adoption_child(adoption_of(parts)), settings));
  return spec;
}

sealing_options sealing_of(const node_parts& parts) {
  return {parts.keys.box_secret, parts.mesh->cluster(), parts.pool, parts.random};
}

journal_settings journal_of(const node_parts& parts, const session_plan& plan) {
  auto& settings = parts.settings;
  journal_options options;
  options.session = plan.session;
  options.folder = session_folder(settings.node.data_dir, plan.session);
  options.limits.sync_interval = settings.journal.sync_interval;
  options.limits.unsynced_bytes_max = settings.journal.unsynced_bytes_max;
  options.limits.segment_size_bytes = settings.journal.segment_bytes_max;
  auto id = to_hex(plan.session);
  return {options, parts.files, plan.key,
          [id](const error& lost) { log::error(log::speaker{"journal", id}, "{}", to_string(lost)); }};
}

void log_worker(const std::string& id, const worker_log& line) {
  log::speaker who{"sessions/capture/worker", id};
  switch (line.level) {
    case worker_log_level::debug: return log::debug(who, "{}", line.text);
    case worker_log_level::info: return log::info(who, "{}", line.text);
    case worker_log_level::warning: return log::warn(who, "{}", line.text);
    case worker_log_level::error: return log::error(who, "{}", line.text);
  }
}

worker_limits limits_of(const configuration& settings) {
  worker_limits limits;
  limits.fragment_interval = settings.encode.fragment_interval;
  limits.key_frame_interval = settings.encode.key_frame_interval;
  limits.encoder_threads = settings.encode.threads;
  limits.encoder_preset = settings.encode.preset;
  auto& sandbox = settings.worker.sandbox;
  limits.sandbox = sandbox == "off"       ? worker_sandbox::off
                   : sandbox == "require" ? worker_sandbox::require
                                          : worker_sandbox::on;
  limits.memory_bytes_max = settings.worker.memory_bytes_max;
  limits.connect_time_max = settings.capture.connect_timeout;
  limits.reconnect_attempts_max = settings.capture.reconnect_attempts_max;
  limits.reconnect_pause_min = settings.capture.reconnect_backoff_min;
  limits.reconnect_pause_max = std::max(settings.capture.reconnect_backoff_min, settings.capture.reconnect_backoff_max);
  return limits;
}

capture_parts capture_of(const node_parts& parts, const session_plan& plan) {
  auto& settings = parts.settings;
  capture_parts capture;
  capture.options.session = plan.session;
  capture.options.credit_bytes = settings.capture.credit_bytes;
  capture.options.limits = limits_of(settings);
  worker_process_options worker;
  worker.executable = parts.worker_executable;
  worker.input_fd = parts.input_fd;
  capture.start_worker = worker_process::starter(std::move(worker));
  capture.pins = parts.pins;
  capture.policy = settings.capture.certificate_policy == "strict" ? pin_policy::strict : pin_policy::first_use;
  // A worker that connects is silent for as long as that may take.
  capture.silence_max = settings.worker.silence_timeout + settings.capture.connect_timeout;
  capture.password = [vault = parts.vault, id = plan.session] { return vault->password(id); };
  capture.log = [id = to_hex(plan.session)](const worker_log& line) { log_worker(id, line); };
  capture.resumes = !plan.recovered;
  return capture;
}

session_options session_of(const node_parts& parts, const session_plan& plan) {
  session_limits limits;
  limits.length_max = parts.settings.session.length_max;
  if (plan.length_seconds_max != 0)
    limits.length_max = std::min(limits.length_max, std::chrono::seconds(plan.length_seconds_max));
  return {plan.session, limits, plan.recovered, plan.extended_seconds};
}

/// Sealing is done here, or, where it is placed, by whichever node has the role.
child_spec seal_of(const node_parts& parts, const session_plan& plan) {
  seal_options options{plan.key, static_cast<int>(parts.settings.seal.zstd_level), parts.pool, parts.random};
  if (!parts.mesh || parts.settings.placement.seal.empty()) return seal_child(std::move(options));
  return placed_seal_child({std::move(options), parts.mesh->cluster()});
}

supervisor_spec session_tree(const node_parts& parts, const session_plan& plan) {
  auto& settings = parts.settings;
  auto spec = supervisor(settings, to_hex(plan.session), strategy::rest_for_one);
  spec.when = restart::transient;
  spec.children = {
    configured(journal_child(journal_of(parts, plan)), settings),
    configured(capture_child(capture_of(parts, plan)), settings),
    configured(chunk_child({plan.session, settings.chunk.size_bytes, settings.chunk.in_flight_max}), settings),
    configured(seal_of(parts, plan), settings),
    configured(manifest_child({plan.session, commit_session_key(*plan.key), parts.keys.sign}), settings),
    configured(session_child(session_of(parts, plan)), settings),
  };
  return spec;
}

dynamic_spec sessions_tree(const node_parts& parts) {
  dynamic_spec spec;
  spec.id = std::string(paths::sessions);
  spec.children_max = parts.settings.session.count_max + 64; // And some that are recovered or being cleared away.
  spec.restarts_max = parts.settings.supervision.restarts_max;
  spec.period = parts.settings.supervision.period;
  // Its six children one after the other, each with the time to kill it, and its own.
  spec.child_shutdown_max = 7 * (parts.settings.supervision.shutdown_timeout + 2s);
  spec.make = [parts](const std::string& id, const caf::message&) -> outcome<child_spec> {
    session_id session{};
    if (auto read = from_hex_into(id, session); !read) return pass_on(std::move(read));
    auto plan = parts.vault->plan(session);
    if (!plan) return fail(errc::not_found, "sessions", "no plan for session " + id);
    return nested(session_tree(parts, *plan));
  };
  return spec;
}

recorder_options recorder_of(const node_parts& parts) {
  return {{parts.keys.sign->public_key(), parts.keys.box, parts.recipients},
          parts.keys.box_secret,
          parts.vault,
          parts.settings.session.count_max,
          parts.settings.session.retention,
          !parts.mesh || may(parts.settings.placement.capture, parts)};
}

standby_options standby_of(const node_parts& parts) {
  // A link that breaks is made anew within a heartbeat.
  return {parts.mesh->self(), parts.settings.node.name, parts.keys.box_secret, parts.mesh->cluster(), parts.vault,
          [recorders = parts.settings.placement.capture](const std::string& node) { return names_node(recorders, node); },
          parts.settings.mesh.heartbeat_interval};
}

console_parts console_of(const node_parts& parts) {
  auto& settings = parts.settings;
  console_parts console;
  console.node_name = settings.node.name;
  console.data_dir = settings.node.data_dir;
  console.started_us = parts.started_us;
  console.configuration = parts.configuration_json;
  for (auto& bound : memory_bounds(settings))
    if (!bound.in_worker)
      console.memory_bounds.push_back({bound.name, bound.size_bytes * (bound.per_session ? settings.session.count_max : 1)});
  console.stop_node = parts.stop_node;
  console.drain = [vault = parts.vault](bool on) { vault->set_draining(on); };
  console.draining = [vault = parts.vault] { return vault->draining(); };
  console.ending = parts.ending;
  console.records = parts.records;
  console.capsules = parts.capsules;
  console.refusals = parts.refusals;
  if (parts.mesh) console.cluster = parts.mesh->cluster();
  console.machine = std::make_shared<proc_machine>(settings.node.data_dir);
  console.pool = parts.readers;
  console.random = parts.random;
  return console;
}

control_door control_door_of(const configuration& settings) {
  http_limits limits;
  limits.request_bytes_max = settings.control.request_bytes_max;
  limits.connections_max = settings.control.connections_max;
  limits.answer_max = slow_answer_max;
  limits.idle_max = std::chrono::ceil<std::chrono::seconds>(settings.control.request_timeout);
  return {settings.control.socket, limits};
}

browser_door browser_door_of(const configuration& settings) {
  auto& console = settings.console;
  browser_door door;
  door.tcp.address = console.address;
  door.names = console.names;
  door.tcp.port = static_cast<std::uint16_t>(console.port);
  if (!console.tls_certificate.empty()) door.tcp.tls = http_tls_files{console.tls_certificate, console.tls_key};
  door.limits.connections_max = console.connections_max;
  door.limits.answer_max = slow_answer_max;
  door.limits.streams_max = console.streams_max;
  door.access.session_idle_max = std::chrono::ceil<std::chrono::minutes>(console.idle_max);
  door.access.session_age_max = std::chrono::ceil<std::chrono::hours>(console.login_max);
  return door;
}

} // namespace

supervisor_spec node_tree(const node_parts& parts) {
  auto& settings = parts.settings;
  auto root = supervisor(settings, "root", strategy::one_for_one);
  root.children = {
    nested(storage_tree(parts)),
    nested(sessions_tree(parts)),
    configured(recorder_child(recorder_of(parts)), settings),
    configured(audit_child({audit_file_name(settings.node.data_dir), parts.files, parts.keys.sign}), settings),
    configured(control_child(console_of(parts), control_door_of(settings)), settings),
  };
  if (parts.mesh) {
    root.children.push_back(nested(mesh_tree(parts)));
    root.children.push_back(nested(copies_tree(parts)));
    if (may(settings.placement.seal, parts)) root.children.push_back(configured(sealing_child(sealing_of(parts)), settings));
    if (may(settings.placement.anchor, parts)) root.children.push_back(configured(anchoring_child(parts.mesh->cluster()), settings));
    if (stands_by(parts)) root.children.push_back(configured(standby_child(standby_of(parts)), settings));
  }
  if (settings.console.serve == "on" && (!parts.mesh || may(settings.placement.console, parts)))
    root.children.push_back(configured(console_child(console_of(parts), browser_door_of(settings)), settings));
  return root;
}

} // namespace lucid
