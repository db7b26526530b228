// actors/node/cli/commands.hpp - the list of all commands.
#pragma once

#include <string>
#include <vector>

#include "actors/node/cli/command.hpp"

namespace lucid {

/// A word that only stands before others: "config" in "config check".
struct command_group {
  std::string name;
  std::string summary;
};

/// All groups and commands, in the order of help and documentation.
std::vector<command_group> command_groups();
std::vector<command_spec> all_commands();

command_spec record_command();
command_spec sessions_list_command();
command_spec sessions_show_command();
command_spec sessions_stop_command();
command_spec sessions_extend_command();
command_spec sessions_rm_command();
command_spec store_adopt_command();
command_spec store_audit_command();
command_spec node_command();
command_spec node_drain_command();
command_spec node_accept_command();
command_spec status_command();
command_spec stop_command();
command_spec inspect_command();
command_spec top_command();
command_spec console_open_command();
command_spec actors_restart_command();
command_spec actors_kill_command();
command_spec actors_suspend_command();
command_spec actors_resume_command();
command_spec capsules_list_command();
command_spec capsules_show_command();
command_spec audit_show_command();
command_spec audit_verify_command();
command_spec worker_command();
command_spec verify_command();
command_spec prove_command();
command_spec verify_proof_command();
command_spec export_command();
command_spec sheet_command();
command_spec play_command();
command_spec keys_init_command();
command_spec keys_list_command();
command_spec keys_show_command();
command_spec keys_export_command();
command_spec keys_rotate_command();
command_spec cluster_init_command();
command_spec cluster_invite_command();
command_spec cluster_invitations_command();
command_spec cluster_uninvite_command();
command_spec cluster_join_command();
command_spec cluster_members_command();
command_spec cluster_remove_command();
command_spec cluster_status_command();
command_spec ledger_show_command();
command_spec ledger_verify_command();
command_spec config_check_command();
command_spec config_explain_command();
command_spec config_show_command();
command_spec doctor_command();
command_spec bench_command();
command_spec version_command();
command_spec completion_bash_command();
command_spec docs_cli_command();

} // namespace lucid
