// runtime/config/key_table.cpp - every setting of a node. A new setting is a field, a line here, and nothing else.
#include "runtime/config/key_table.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "messages/chunk.hpp"
#include "messages/fragment.hpp"
#include "messages/pipeline.hpp"
#include "messages/session.hpp"
#include "runtime/config/nearest.hpp"

namespace lucid {
namespace {

constexpr std::int64_t kib = 1 << 10, mib = 1 << 20, gib = 1 << 30;
constexpr std::int64_t ms = 1, s = 1000 * ms, min = 60 * s, hour = 60 * min, day = 24 * hour;
constexpr std::int64_t in_seconds = 1000; // Divides the above for fields of whole seconds.
constexpr std::int64_t text_bytes_max = 200, path_bytes_max = 4096;
// A Unix socket's address holds 108 bytes with the final zero.
constexpr std::int64_t socket_path_bytes_max = 107;
constexpr std::int64_t subsystem_count_max = 64;

std::string check_public_key(std::string_view text) {
  auto hex = [](unsigned char c) { return std::isxdigit(c) != 0; };
  if (text.size() == 64 && std::all_of(text.begin(), text.end(), hex)) return {};
  return "64 hexadecimal digits, as `lucid keys show` prints them";
}

std::string check_host(std::string_view text) {
  auto plain = [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '.' || c == '-'; };
  if (!text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), plain)) return {};
  return "a host name in lower case, without port";
}

std::string check_encoder(std::string_view text) {
  auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return {};
  return "the name of an FFmpeg encoder of H.264, or \"auto\"";
}

std::string check_level(std::string_view text) {
  constexpr std::array<std::string_view, 6> levels{"trace", "debug", "info", "warn", "error", "off"};
  if (std::find(levels.begin(), levels.end(), text) != levels.end()) return {};
  return "trace, debug, info, warn, error, off";
}

/// 1..63 of a-z 0-9 and '-', as a host name's label.
std::string check_node_name(std::string_view text) {
  auto plain = [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-'; };
  if (!text.empty() && text.size() <= 63 && text.front() != '-' && std::all_of(text.begin(), text.end(), plain)) return {};
  return "a node's name: small letters, digits and '-', at most 63";
}

std::string check_cluster_name(std::string_view text) { return text.empty() ? std::string() : check_node_name(text); }

std::string check_place(std::string_view text) {
  if (text == "*" || check_node_name(text).empty()) return {};
  return "the name of a node, or \"*\" for all others";
}

std::string check_mesh_address(std::string_view text) {
  auto scheme = text.starts_with("tcp://") || text.starts_with("tor://");
  auto colon = text.rfind(':');
  auto digits = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (scheme && colon > 6 && colon + 1 < text.size() && std::all_of(text.begin() + colon + 1, text.end(), digits)) return {};
  return "an address such as \"tcp://192.168.1.11:7800\" or \"tor://<56 letters>.onion:7800\"";
}

std::string check_network_peer(std::string_view text) {
  auto at = text.find('@');
  bool key = check_public_key(text.substr(0, at)).empty();
  if (key && (at == std::string_view::npos || check_mesh_address(text.substr(at + 1)).empty())) return {};
  return "64 hexadecimal digits, alone or with \"@tcp://HOST:PORT\" or \"@tor://<56 letters>.onion:PORT\" behind them";
}

std::string check_count(std::string_view text) {
  auto digits = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (!text.empty() && text.size() <= 2 && std::all_of(text.begin(), text.end(), digits)) return {};
  return "a number of nodes, 0 to 99";
}

std::string check_even(std::string_view digits) {
  if (!digits.empty() && (digits.back() - '0') % 2 == 0) return {};
  return "an even number: H.264 halves the colour planes";
}

#define LUCID_FIELD(path) [](configuration& c) -> key_field { return &c.path; }

constexpr std::string_view levels = "trace|debug|info|warn|error|off";

const key_spec table[] = {
    {"node.name", LUCID_FIELD(node.name), "lucid", 1, text_bytes_max, "",
     "Name of this node in logs and listings."},
    {"node.data_dir", LUCID_FIELD(node.data_dir), "~/.local/share/lucid", 1, path_bytes_max, "",
     "Folder of the store, the journals and the keys.", "/var/lib/lucid"},
    {"node.scheduler_threads", LUCID_FIELD(node.scheduler_threads), "0", 0, 256, "",
     "Threads that run actors; 0 is one a core."},
    {"node.work_threads", LUCID_FIELD(node.work_threads), "0", 0, 256, "",
     "Threads that compress, seal and hash; 0 is one a core."},

    {"control.socket", LUCID_FIELD(control.socket), "<node.data_dir>/control.sock", 1, socket_path_bytes_max, "",
     "Unix socket on which commands reach the node; mode 0600."},
    {"control.request_bytes_max", LUCID_FIELD(control.request_bytes_max), "1 MiB", 4 * kib, 16 * mib, "",
     "Largest request that the control socket accepts."},
    {"control.connections_max", LUCID_FIELD(control.connections_max), "64", 1, 1024, "",
     "Connections to the control socket at one time; the next one is turned away."},
    {"control.request_timeout", LUCID_FIELD(control.request_timeout), "30 s", 100 * ms, 10 * min, "",
     "Time within which a request must have arrived and been answered."},

    {"console.serve", LUCID_FIELD(console.serve), "on", 0, 0, "on|off",
     "Whether browsers can reach the console; the control socket is served in any case."},
    {"console.address", LUCID_FIELD(console.address), "127.0.0.1", 2, 45, "",
     "IP address on which browsers are served; one beyond loopback needs console.tls_certificate."},
    {"console.port", LUCID_FIELD(console.port), "8083", 0, 65535, "",
     "TCP port; 0 takes one that is free, and `lucid console open` names it."},
    {"console.names", LUCID_FIELD(console.names), "", 0, 16, "",
     "Host names under which browsers reach the console beside its address; requests for any other are refused.", {},
     check_host},
    {"console.tls_certificate", LUCID_FIELD(console.tls_certificate), "", 0, path_bytes_max, "",
     "PEM file of the certificate chain, the console's own first; with it the console speaks https alone."},
    {"console.tls_key", LUCID_FIELD(console.tls_key), "", 0, path_bytes_max, "",
     "PEM file of the key that belongs to it."},
    {"console.idle_max", LUCID_FIELD(console.idle_max), "30 min", 1 * min / in_seconds, 1 * day / in_seconds, "",
     "Time without a request after which a browser has to log in anew."},
    {"console.login_max", LUCID_FIELD(console.login_max), "12 h", 1 * min / in_seconds, 7 * day / in_seconds, "",
     "Longest login, however busy."},
    {"console.connections_max", LUCID_FIELD(console.connections_max), "64", 4, 1024, "",
     "Connections of browsers at one time; the next one is turned away."},
    {"console.streams_max", LUCID_FIELD(console.streams_max), "8", 1, 64, "",
     "Pages that watch at one time."},

    {"store.free_bytes_min", LUCID_FIELD(store.free_bytes_min), "256 MiB", 0, std::int64_t{1024} * gib, "",
     "Free space below which no session starts and running ones are ended in good order."},
    {"store.cache_bytes_max", LUCID_FIELD(store.cache_bytes_max), "4 MiB", 1 * mib, 1 * gib, "",
     "Page cache of the metadata database."},

    {"journal.sync_interval", LUCID_FIELD(journal.sync_interval), "1 s", 50 * ms, 10 * s, "",
     "Longest time before captured video is on disk: what a loss of power may cost."},
    {"journal.unsynced_bytes_max", LUCID_FIELD(journal.unsynced_bytes_max), "4 MiB", 64 * kib, 64 * mib, "",
     "Bytes after which the journal syncs before its interval is over."},
    {"journal.segment_bytes_max", LUCID_FIELD(journal.segment_bytes_max), "32 MiB", 8 * mib, 1 * gib, "",
     "Size after which the journal begins a new file, so that the old one can be removed."},

    {"session.length_max", LUCID_FIELD(session.length_max), "8 h", 1, 30 * day / in_seconds, "",
     "Longest recording; it ends by itself then, and a new one may follow."},
    {"session.count_max", LUCID_FIELD(session.count_max), "4", 1, 64, "",
     "Sessions that record at one time."},
    {"session.retention", LUCID_FIELD(session.retention), "0", 0, 3650 * day / in_seconds, "",
     "Age after which a finished recording is removed, looked for at the start and once an hour; 0 keeps it until it "
     "is removed by hand."},

    {"capture.connect_timeout", LUCID_FIELD(capture.connect_timeout), "15 s", 100 * ms, 5 * min, "",
     "Time within which a connection to an RDP server must stand, login included."},
    {"capture.reconnect_attempts_max", LUCID_FIELD(capture.reconnect_attempts_max), "20", 0, 10000, "",
     "Attempts in a row to see a desktop again that was lost, before the recording is closed."},
    {"capture.reconnect_backoff_min", LUCID_FIELD(capture.reconnect_backoff_min), "500 ms", 10 * ms, 1 * min, "",
     "Pause before the first new attempt; it doubles with each further one."},
    {"capture.reconnect_backoff_max", LUCID_FIELD(capture.reconnect_backoff_max), "30 s", 10 * ms, 1 * hour, "",
     "Longest pause between two attempts."},
    {"capture.certificate_policy", LUCID_FIELD(capture.certificate_policy), "pin", 0, 0, "pin|strict",
     "pin: trust a desktop's certificate at first use, refuse another later. strict: refuse the first one, too; an "
     "administrator pins it by a line \"host:port fingerprint\" in the file pins in node.data_dir."},
    {"capture.password", LUCID_FIELD(capture.password), "", 0, text_bytes_max, "",
     "Password of the remote desktop where the command names no other source for it."},
    {"capture.password_file", LUCID_FIELD(capture.password_file), "", 0, path_bytes_max, "",
     "File whose first line is that password."},
    {"capture.credit_bytes", LUCID_FIELD(capture.credit_bytes), "32 MiB", 8 * mib, 512 * mib, "",
     "Bytes a worker may send before the first of them are on disk; beyond that it merges updates."},
    {"capture.width", LUCID_FIELD(capture.width), "1280", 16, 8192, "",
     "Desktop width to ask for where the source lets one choose.", {}, check_even},
    {"capture.height", LUCID_FIELD(capture.height), "720", 16, 8192, "",
     "Desktop height likewise.", {}, check_even},
    {"capture.frame_rate_max", LUCID_FIELD(capture.frame_rate_max), "15", 1, 120, "",
     "Frames a second at most; an idle desktop makes none."},

    {"worker.sandbox", LUCID_FIELD(worker.sandbox), "on", 0, 0, "on|off|require",
     "Locks the capture process in with seccomp and landlock: on where the kernel can, require refuses to go without."},
    {"worker.memory_bytes_max", LUCID_FIELD(worker.memory_bytes_max), "2 GiB", 128 * mib, 64 * gib, "",
     "Private memory of a capture process, kept to by its sandbox; one that needs more is ended and started again."},
    {"worker.silence_timeout", LUCID_FIELD(worker.silence_timeout), "30 s", 5 * s, 10 * min, "",
     "Time without a sign of life, which comes every 2 s, after which a capture process is ended and started again; "
     "capture.connect_timeout is added to it."},

    {"encode.encoder", LUCID_FIELD(encode.encoder), "libx264", 1, text_bytes_max, "",
     "FFmpeg encoder, or auto: the first of the machine's hardware encoders that opens, else libx264.", {},
     check_encoder},
    {"encode.preset", LUCID_FIELD(encode.preset), "veryfast", 0, 0,
     "ultrafast|superfast|veryfast|faster|fast|medium|slow|slower|veryslow",
     "Trades processor time for size; passed over by encoders without presets."},
    {"encode.quality", LUCID_FIELD(encode.quality), "23", 0, 51, "",
     "Constant rate factor; lower is better and larger."},
    {"encode.threads", LUCID_FIELD(encode.threads), "1", 0, 16, "",
     "Threads of one encoder; 0 lets the encoder choose."},
    {"encode.key_frame_interval", LUCID_FIELD(encode.key_frame_interval), "10 s", 1 * s, 10 * s, "",
     "Longest time between key frames: how exactly an export can begin."},
    {"encode.fragment_interval", LUCID_FIELD(encode.fragment_interval), "500 ms", 50 * ms, 1 * s, "",
     "Longest fragment while things move; adds to journal.sync_interval before video is safe."},

    {"chunk.size_bytes", LUCID_FIELD(chunk.size_bytes), "10 MiB", std::int64_t{chunk_size_bytes_min},
     std::int64_t{chunk_size_bytes_max}, "", "Plaintext size at which a chunk is cut, at the next key frame."},
    {"chunk.in_flight_max", LUCID_FIELD(chunk.in_flight_max), "2", 1, 16, "",
     "Chunks of one track on their way to the disk; beyond that the camera slows down."},

    {"seal.zstd_level", LUCID_FIELD(seal.zstd_level), "3", 1, 19, "",
     "Compression level of chunks; what does not shrink is stored as it is."},

    {"anchor.batch_interval", LUCID_FIELD(anchor.batch_interval), "200 ms", 0, 1 * hour, "",
     "Time a manifest may wait for others to share its block."},
    {"anchor.batch_entries_max", LUCID_FIELD(anchor.batch_entries_max), "100", 1,
     std::int64_t{ledger_entries_max}, "", "Manifests in one block; the next ones wait for the next."},
    {"anchor.retry_interval", LUCID_FIELD(anchor.retry_interval), "5 s", 100 * ms, 1 * hour, "",
     "Pause before a batch that the ledger did not take is offered again; doubles up to 30 s, never given up."},

    {"mesh.listen", LUCID_FIELD(mesh.listen), "", 0, 64, "",
     "IP address and port on which other nodes reach this one, such as \"0.0.0.0:7800\"; empty: the node stands alone."},
    {"mesh.chunk_listen", LUCID_FIELD(mesh.chunk_listen), "", 0, 64, "",
     "The same for chunks, which travel beside the messages; empty: one port above mesh.listen."},
    {"mesh.announce", LUCID_FIELD(mesh.announce), "", 0, 8, "",
     "Addresses under which others reach mesh.listen; empty: that address itself. An onion address is added by itself.",
     {}, check_mesh_address},
    {"mesh.transport", LUCID_FIELD(mesh.transport), "tcp", 0, 0, "tcp|tor|both",
     "tor: this node opens no connection to another one but through Tor. both: to each peer by what that one has, TCP first."},
    {"mesh.discovery", LUCID_FIELD(mesh.discovery), "off", 0, 0, "on|off",
     "Whether members find each other's address by multicast on the local network."},
    {"mesh.heartbeat_interval", LUCID_FIELD(mesh.heartbeat_interval), "500 ms", 50 * ms, 1 * min, "",
     "Pause between two signs of life to another node; over Tor 3 s is a good value."},
    {"mesh.peer_timeout", LUCID_FIELD(mesh.peer_timeout), "2 s", 200 * ms, 10 * min, "",
     "Silence after which a node counts as down and its connection is made anew; over Tor 15 s."},
    {"mesh.lease_time", LUCID_FIELD(mesh.lease_time), "2 s", 500 * ms, 10 * min, "",
     "Time for which a node is granted a role; as long stands the role still when its node is lost. Over Tor 12 s."},
    {"mesh.peers_max", LUCID_FIELD(mesh.peers_max), "32", 1, 256, "",
     "Nodes that are connected at one time."},
    {"mesh.message_bytes_max", LUCID_FIELD(mesh.message_bytes_max), "1 MiB", 64 * kib, 16 * mib, "",
     "Largest message that actors of two nodes exchange; chunks travel beside them."},
    {"mesh.tunnel_credit_bytes", LUCID_FIELD(mesh.tunnel_credit_bytes), "256 KiB", 64 * kib, 16 * mib, "",
     "Bytes of messages under way to one node before it took the first of them."},
    {"mesh.chunk_credit_bytes", LUCID_FIELD(mesh.chunk_credit_bytes), "1 MiB", 64 * kib, 64 * mib, "",
     "The same for chunks."},
    {"mesh.network_peers", LUCID_FIELD(mesh.network_peers), "", 0, 256, "",
     "Transport keys of nodes of other operators that may connect, \"<64 hexadecimal digits>\"; with \"@tcp://HOST:PORT\" "
     "behind it this node connects to them. They exchange signed statements and nothing else.",
     {}, check_network_peer},

    {"tor.program", LUCID_FIELD(tor.program), "tor", 1, path_bytes_max, "",
     "The tor that a node with mesh.transport \"tor\" or \"both\" starts and watches."},
    {"tor.control", LUCID_FIELD(tor.control), "", 0, path_bytes_max, "",
     "Control port of a tor that is there already, \"127.0.0.1:9051\" or \"unix:/run/tor/control\"; empty: one of its own."},
    {"tor.control_cookie", LUCID_FIELD(tor.control_cookie), "", 0, path_bytes_max, "",
     "File with the cookie of that control port; empty: as the port itself tells."},
    {"tor.socks", LUCID_FIELD(tor.socks), "127.0.0.1:9050", 1, 64, "",
     "SOCKS port of that tor; one of its own takes a free port."},
    {"tor.extra_torrc", LUCID_FIELD(tor.extra_torrc), "", 0, path_bytes_max, "",
     "File with more lines for the torrc of a tor of its own: bridges, or another network."},
    {"tor.bootstrap_timeout", LUCID_FIELD(tor.bootstrap_timeout), "3 min", 5 * s, 1 * hour, "",
     "Time without progress in joining the Tor network after which a tor of its own is started anew."},

    {"cluster.name", LUCID_FIELD(cluster.name), "", 0, 63, "",
     "Name of a cluster that is formed by configuration files alone; see config/cluster-3.toml.", {},
     check_cluster_name},
    {"cluster.secret_file", LUCID_FIELD(cluster.secret_file), "", 0, path_bytes_max, "",
     "File with the secret that its nodes share, at least 32 bytes; `openssl rand -hex 32` makes one."},
    {"cluster.nodes", LUCID_FIELD(cluster.nodes), "", 0, 256, "",
     "Its nodes, such as { pi-1 = \"tcp://192.168.1.11:7800\" }; each one's node.name must be among them.", {},
     check_mesh_address},

    {"placement.capture", LUCID_FIELD(placement.capture), "*", 0, 256, "",
     "Nodes that may record; \"*\" stands for all others. Two or more by name record on for one of them that is lost.", {},
     check_place},
    {"placement.seal", LUCID_FIELD(placement.seal), "", 0, 256, "",
     "Nodes that may seal for all; empty: each seals what it records.", {}, check_place},
    {"placement.anchor", LUCID_FIELD(placement.anchor), "", 0, 256, "",
     "Nodes in whose chain recordings of all may be anchored, by one at a time; empty: each anchors in a chain of its own.", {},
     check_place},
    {"placement.replicas", LUCID_FIELD(placement.replicas), "*", 0, 256, "",
     "Nodes that keep copies of what others recorded.", {}, check_place},
    {"placement.console", LUCID_FIELD(placement.console), "*", 0, 256, "",
     "Nodes that serve the console; each one shows the whole cluster.", {}, check_place},
    {"placement.counts", LUCID_FIELD(placement.counts), "", 0, 16, "",
     "How many nodes have a role at one time where it is not one, such as { seal = \"2\" }.", {}, check_count},

    {"replication.copies", LUCID_FIELD(replication.copies), "2", 0, 16, "",
     "Copies of each chunk beside the recorder's own."},
    {"replication.bytes_per_second_max", LUCID_FIELD(replication.bytes_per_second_max), "0", 0, 10 * gib, "",
     "Bound of what is sent for copies; 0 is none."},
    {"replication.repair_after", LUCID_FIELD(replication.repair_after), "10 min", 1 * s, 30 * day, "",
     "Time after which the copies of a node that stays away are made anew on another."},
    {"replication.challenge_interval", LUCID_FIELD(replication.challenge_interval), "10 min", 1 * s, 30 * day, "",
     "Pause between two questions to each holder for a block of a chunk it is to have."},

    {"keys.dir", LUCID_FIELD(keys.dir), "<node.data_dir>/keys", 1, path_bytes_max, "",
     "Folder of the node's keys; mode 0700."},
    {"keys.passphrase", LUCID_FIELD(keys.passphrase), "", 0, 1024, "",
     "Passphrase of the node's keys; better by keys.passphrase_file or the environment than in the file."},
    {"keys.passphrase_file", LUCID_FIELD(keys.passphrase_file), "", 0, path_bytes_max, "",
     "File whose first line is that passphrase."},
    {"keys.recipients", LUCID_FIELD(keys.recipients), "", 0, std::int64_t{recipient_count_max}, "",
     "X25519 keys that can open every recording, beside the owner's.", {}, check_public_key},

    {"supervision.restarts_max", LUCID_FIELD(supervision.restarts_max), "10", 0, 1000, "",
     "Restarts within supervision.period that a supervisor grants before it gives up to its parent."},
    {"supervision.period", LUCID_FIELD(supervision.period), "60 s", 100 * ms, 1 * hour, "",
     "Window in which restarts are counted."},
    {"supervision.backoff_min", LUCID_FIELD(supervision.backoff_min), "50 ms", 0, 1 * min, "",
     "Pause before the first restart; it doubles with each further one, with some jitter."},
    {"supervision.backoff_max", LUCID_FIELD(supervision.backoff_max), "5 s", 0, 10 * min, "",
     "Longest pause before a restart."},
    {"supervision.shutdown_timeout", LUCID_FIELD(supervision.shutdown_timeout), "10 s", 100 * ms, 10 * min, "",
     "Time an actor gets to end in good order before it is ended."},

    {"log.level", LUCID_FIELD(log.level), "info", 0, 0, levels, "Least severe lines that are written."},
    {"log.format", LUCID_FIELD(log.format), "text", 0, 0, "text|json", "Lines for people, or one JSON object a line."},
    {"log.file", LUCID_FIELD(log.file), "", 0, path_bytes_max, "", "File to write to; empty is standard error."},
    {"log.file_bytes_max", LUCID_FIELD(log.file_bytes_max), "16 MiB", 64 * kib, 1 * gib, "",
     "Size after which a new file is begun."},
    {"log.file_count_max", LUCID_FIELD(log.file_count_max), "5", 1, 100, "", "Files kept, the present one included."},
    {"log.levels", LUCID_FIELD(log.levels), "", 0, subsystem_count_max, "",
     "Level of single subsystems by the name in their path, such as { capture = \"debug\" }.", {}, check_level},
};

#undef LUCID_FIELD

struct section_line {
  std::string_view name, description;
};
constexpr section_line sections[] = {
    {"node", "The process itself."},
    {"control", "The Unix socket through which commands reach a running node."},
    {"console", "The pages in the browser; see docs/console.md."},
    {"store", "Metadata and chunk files on disk."},
    {"journal", "The encrypted tail of each session, on disk before it is sealed."},
    {"session", "The life of a recording."},
    {"capture", "How a desktop is reached and looked at."},
    {"worker", "The process that captures and encodes one session."},
    {"encode", "Video."},
    {"chunk", "How a track is cut."},
    {"seal", "Compression and encryption of chunks."},
    {"anchor", "The way of a manifest into the chain."},
    {"mesh", "How nodes reach each other; see docs/mesh.md."},
    {"tor", "The way through Tor, for nodes with mesh.transport \"tor\" or \"both\"."},
    {"cluster", "A cluster formed by files alone; others are formed by `lucid cluster init`, `invite` and `join`."},
    {"placement", "Which nodes of the cluster have which role."},
    {"replication", "Copies of recordings on other nodes."},
    {"keys", "The node's own keys, and who can open its recordings."},
    {"supervision", "Restarts of actors that failed."},
    {"log", "What is written about all this."},
};

} // namespace

bool key_spec::secret() const {
  configuration any;
  return std::holds_alternative<secret_text*>(field(any));
}

std::span<const key_spec> key_table() { return table; }

const key_spec* find_key(std::string_view name) {
  auto at = std::find_if(std::begin(table), std::end(table), [&](const key_spec& k) { return k.name == name; });
  return at == std::end(table) ? nullptr : at;
}

std::string nearest_key(std::string_view name) {
  std::vector<std::string> full, bare;
  for (auto& k : table) {
    full.emplace_back(k.name);
    bare.emplace_back(k.name.substr(k.name.find('.') + 1));
  }
  if (auto near = nearest(name, full); !near.empty()) return near;
  // The right key in a wrong section, or without one.
  auto dot = name.find('.');
  auto near = nearest(dot == std::string_view::npos ? name : name.substr(dot + 1), bare);
  auto found = std::find(bare.begin(), bare.end(), near);
  return found == bare.end() ? std::string() : full[static_cast<std::size_t>(found - bare.begin())];
}

std::string environment_name(std::string_view key) {
  std::string name = "LUCID_";
  for (char c : key) name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::string_view section_description(std::string_view section) {
  for (auto& line : sections)
    if (line.name == section) return line.description;
  return {};
}

} // namespace lucid
