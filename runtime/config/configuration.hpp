// runtime/config/configuration.hpp - the settings of a node as one plain value.
//
// The fields are filled from key_table.cpp, which states default, unit and bounds of each; an empty
// `configuration{}` is no working configuration: take `default_configuration()` or `load`.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime/config/secret_text.hpp"

namespace lucid {

/// All settings of a node. A section of the file is a group here; a key is a field of the same name.
/// Units: sizes are bytes, durations say their unit by type. Each value lies within the bounds of its key.
struct configuration {
  struct node_settings {
    std::string name;
    std::filesystem::path data_dir;
    std::uint32_t scheduler_threads = 0; ///< 0: one a core.
    std::uint32_t work_threads = 0;      ///< 0: one a core.
  } node;

  struct control_settings {
    std::filesystem::path socket;
    std::uint64_t request_bytes_max = 0;
    std::uint32_t connections_max = 0;
    std::chrono::milliseconds request_timeout{};
  } control;

  struct console_settings {
    std::string serve; ///< "on" or "off".
    std::string address;
    std::uint32_t port = 0; ///< 0: one that is free.
    std::vector<std::string> names; ///< Host names beside the address.
    std::filesystem::path tls_certificate;
    std::filesystem::path tls_key;
    std::chrono::seconds idle_max{};
    std::chrono::seconds login_max{};
    std::uint32_t connections_max = 0;
    std::uint32_t streams_max = 0;
  } console;

  struct store_settings {
    std::uint64_t free_bytes_min = 0;
    std::uint64_t cache_bytes_max = 0;
  } store;

  struct journal_settings {
    std::chrono::milliseconds sync_interval{};
    std::uint64_t unsynced_bytes_max = 0;
    std::uint64_t segment_bytes_max = 0;
  } journal;

  struct session_settings {
    std::chrono::seconds length_max{};
    std::uint32_t count_max = 0;
    std::chrono::seconds retention{}; ///< 0: kept until removed by hand.
  } session;

  struct capture_settings {
    std::chrono::milliseconds connect_timeout{};
    std::uint32_t reconnect_attempts_max = 0;
    std::chrono::milliseconds reconnect_backoff_min{};
    std::chrono::milliseconds reconnect_backoff_max{};
    std::string certificate_policy; ///< "pin" or "strict".
    secret_text password;           ///< Of the remote desktop, when no other is given.
    std::filesystem::path password_file;
    std::uint64_t credit_bytes = 0;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint32_t frame_rate_max = 0;
  } capture;

  struct worker_settings {
    std::string sandbox; ///< "on", "off" or "require".
    std::uint64_t memory_bytes_max = 0;
    std::chrono::milliseconds silence_timeout{};
  } worker;

  struct encode_settings {
    std::string encoder;
    std::string preset;
    std::uint32_t quality = 0;
    std::uint32_t threads = 0;
    std::chrono::milliseconds key_frame_interval{};
    std::chrono::milliseconds fragment_interval{};
  } encode;

  struct chunk_settings {
    std::uint64_t size_bytes = 0;
    std::uint32_t in_flight_max = 0;
  } chunk;

  struct seal_settings {
    std::uint32_t zstd_level = 0;
  } seal;

  struct anchor_settings {
    std::chrono::milliseconds batch_interval{};
    std::uint32_t batch_entries_max = 0;
    std::chrono::milliseconds retry_interval{};
  } anchor;

  struct mesh_settings {
    std::string listen;                  ///< "IP:port"; empty: the node stands alone.
    std::string chunk_listen;            ///< Empty: one port above `listen`.
    std::vector<std::string> announce;   ///< Where others reach `listen`; empty: there.
    std::string transport;               ///< "tcp" or "tor".
    std::string discovery;               ///< "on" or "off".
    std::chrono::milliseconds heartbeat_interval{};
    std::chrono::milliseconds peer_timeout{};
    std::chrono::milliseconds lease_time{};
    std::uint32_t peers_max = 0;
    std::uint64_t message_bytes_max = 0; ///< Of one message of the middleman.
    std::uint64_t tunnel_credit_bytes = 0;
    std::uint64_t chunk_credit_bytes = 0;
    std::vector<std::string> network_peers; ///< Of other operators: "<64 hexadecimal digits>", with or without "@<address>".
  } mesh;

  struct tor_settings {
    std::string program;
    std::string control; ///< Empty: a tor of our own.
    std::filesystem::path control_cookie;
    std::string socks;   ///< Of a given tor.
    std::filesystem::path extra_torrc;
    std::chrono::milliseconds bootstrap_timeout{};
  } tor;

  struct cluster_settings {
    std::string name;
    std::filesystem::path secret_file;
    std::map<std::string, std::string> nodes; ///< Name to address.
  } cluster;

  /// Names of nodes in order of preference; "*" stands for all others.
  struct placement_settings {
    std::vector<std::string> capture, seal, anchor, replicas, console;
    std::map<std::string, std::string> counts; ///< Role to number.
  } placement;

  struct replication_settings {
    std::uint32_t copies = 0; ///< Beside the recorder's.
    std::uint64_t bytes_per_second_max = 0; ///< 0: no bound.
    std::chrono::milliseconds repair_after{};
    std::chrono::milliseconds challenge_interval{};
  } replication;

  struct keys_settings {
    std::filesystem::path dir;
    secret_text passphrase;
    std::filesystem::path passphrase_file;
    std::vector<std::string> recipients; ///< X25519 public keys, 64 hexadecimal digits each.
  } keys;

  struct supervision_settings {
    std::uint32_t restarts_max = 0;
    std::chrono::milliseconds period{};
    std::chrono::milliseconds backoff_min{};
    std::chrono::milliseconds backoff_max{};
    std::chrono::milliseconds shutdown_timeout{};
  } supervision;

  struct log_settings {
    std::string level;
    std::string format; ///< "text" or "json".
    std::filesystem::path file; ///< Empty: standard error.
    std::uint64_t file_bytes_max = 0;
    std::uint32_t file_count_max = 0;
    std::map<std::string, std::string> levels; ///< Subsystem to level.
  } log;
};

} // namespace lucid
