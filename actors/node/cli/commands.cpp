// actors/node/cli/commands.cpp - the one place where commands are listed.
#include "actors/node/cli/commands.hpp"

namespace lucid {

std::vector<command_group> command_groups() {
  return {
      {"sessions", "List, show, stop, extend and remove sessions."},
      {"store", "Check the copies of recordings on other nodes."},
      {"actors", "Restart, kill, suspend and resume actors."},
      {"capsules", "List and show what crashed actors left."},
      {"audit", "Show and check what was done to the node."},
      {"console", "The node in a browser."},
      {"keys", "Make, show, export and rotate keys."},
      {"cluster", "Several nodes as one: form a cluster, join it, see it."},
      {"ledger", "Show and check the chain."},
      {"config", "Check, explain and show the configuration."},
      {"completion", "Completion of commands in a shell."},
      {"docs", ""},
  };
}

std::vector<command_spec> all_commands() {
  return {
      record_command(),
      sessions_list_command(),
      sessions_show_command(),
      sessions_stop_command(),
      sessions_extend_command(),
      sessions_rm_command(),
      verify_command(),
      prove_command(),
      verify_proof_command(),
      export_command(),
      sheet_command(),
      play_command(),
      keys_init_command(),
      keys_list_command(),
      keys_show_command(),
      keys_export_command(),
      keys_rotate_command(),
      cluster_init_command(),
      cluster_invite_command(),
      cluster_invitations_command(),
      cluster_uninvite_command(),
      cluster_join_command(),
      cluster_members_command(),
      cluster_remove_command(),
      cluster_status_command(),
      ledger_show_command(),
      ledger_verify_command(),
      store_adopt_command(),
      store_audit_command(),
      node_command(),
      node_drain_command(),
      node_accept_command(),
      status_command(),
      stop_command(),
      inspect_command(),
      top_command(),
      console_open_command(),
      actors_restart_command(),
      actors_kill_command(),
      actors_suspend_command(),
      actors_resume_command(),
      capsules_list_command(),
      capsules_show_command(),
      audit_show_command(),
      audit_verify_command(),
      worker_command(),
      config_check_command(),
      config_explain_command(),
      config_show_command(),
      doctor_command(),
      bench_command(),
      version_command(),
      completion_bash_command(),
      docs_cli_command(),
  };
}

} // namespace lucid
