// actors/console/serve_cluster.cpp - the cluster: who is in it, who comes in, who has to go.
#include "actors/console/cluster_json.hpp"
#include "actors/console/consequences.hpp"
#include "actors/console/console_shell.hpp"
#include "actors/console/replication_json.hpp"

namespace lucid {

using nlohmann::json;

namespace {

/// Why a wish did not reach the mesh: since there is none, or since its actor is between two incarnations.
error as_told_of_mesh(const error& why, bool has_mesh) {
  if (why.code != errc::unreachable) return why;
  if (has_mesh) return {errc::busy, why.who, "it is being restarted; ask again", nullptr};
  return {errc::wrong_state, "cluster",
          "this node stands alone: set mesh.listen in its configuration, such as \"0.0.0.0:7800\", and start it again", nullptr};
}

} // namespace

template <class Request>
void console_shell::change_cluster(const asker& to, std::string action, std::string target, std::string consequence,
                                   Request request) const {
  audited(to, std::move(action), std::move(target), std::move(consequence),
          [me = *this, to, request = std::move(request)](const audit_entry& begun) {
            me.state().links.request(me.self_, join_patience, request)
              .then([me, to](const cluster_ack& done) { me.answer(to, to_json(done)); },
                    [me, to, begun](const caf::error& failed) {
                      auto why = as_told_of_mesh(from_caf(failed), me.state().parts.cluster != nullptr);
                      me.audit_failure(begun, why);
                      me.refuse(to, why);
                    });
          });
}

void console_shell::carry_out(const asker& from, const api::get_cluster&) const {
  auto& cluster = state().parts.cluster;
  answer(from, to_json(cluster ? cluster->view() : cluster_view{}));
}

void console_shell::carry_out(const asker& from, const api::cluster_consequence& wish) const {
  answer(from, json{{"text", consequence_for_cluster(wish.action)}});
}

void console_shell::carry_out(const asker& from, const api::begin_cluster& wish) const {
  change_cluster(from, "cluster init", wish.name, consequence_for_cluster("init"),
                 cluster_init_request{wish.name});
}

// The invitation is a secret: it is told to who asked, and stands in no log.
void console_shell::carry_out(const asker& from, const api::make_invitation& wish) const {
  audited(from, "cluster invite", "cluster", consequence_for_cluster("invite"),
          [me = *this, from, wish](const audit_entry& begun) {
            me.state().links.request(me.self_, status_patience, cluster_invite_request{wish.valid_seconds})
              .then([me, from](const cluster_invitation& made) { me.answer(from, to_json(made)); },
                    [me, from, begun](const caf::error& failed) {
                      auto why = as_told_of_mesh(from_caf(failed), me.state().parts.cluster != nullptr);
                      me.audit_failure(begun, why);
                      me.refuse(from, why);
                    });
          });
}

void console_shell::carry_out(const asker& from, const api::list_invitations&) const {
  state().links.request(self_, status_patience, cluster_invitations_request{})
    .then([me = *this, from](const cluster_invitations& found) { me.answer(from, to_json(found)); },
          [me = *this, from](const caf::error& failed) {
            me.refuse(from, as_told_of_mesh(from_caf(failed), me.state().parts.cluster != nullptr));
          });
}

void console_shell::carry_out(const asker& from, const api::take_back_invitation& wish) const {
  change_cluster(from, "cluster uninvite", wish.id, consequence_for_cluster("uninvite"), cluster_uninvite_request{wish.id});
}

void console_shell::carry_out(const asker& from, const api::join_cluster& wish) const {
  change_cluster(from, "cluster join", "cluster", consequence_for_cluster("join"),
                 cluster_join_request{wish.invitation});
}

void console_shell::carry_out(const asker& from, const api::remove_member& wish) const {
  change_cluster(from, "cluster remove", wish.who, consequence_for_cluster("remove"),
                 cluster_remove_request{wish.who});
}

void console_shell::carry_out(const asker& from, const api::rotate_keys& wish) const {
  change_cluster(from, "keys rotate", wish.onion ? "transport key and onion address" : "transport key",
                 consequence_for_cluster(wish.onion ? "rotate-onion" : "rotate"), keys_rotate_request{wish.onion});
}

void console_shell::carry_out(const asker& from, const api::get_replication&) const {
  state().replication.request(self_, status_patience, replication_status_request{})
    .then([me = *this, from](const replication_status& status) { me.answer(from, to_json(status)); },
          [me = *this, from](const caf::error& failed) {
            me.refuse(from, as_told_of_mesh(from_caf(failed), me.state().parts.cluster != nullptr));
          });
}

void console_shell::carry_out(const asker& from, const api::audit_copies& wish) const {
  state().replication.request(self_, copies_patience, replication_audit_request{wish.session, wish.from})
    .then([me = *this, from](const replication_audit& found) { me.answer(from, to_json(found)); },
          [me = *this, from](const caf::error& failed) {
            me.refuse(from, as_told_of_mesh(from_caf(failed), me.state().parts.cluster != nullptr));
          });
}

// A recording of hours takes longer than anybody waits: who asks again is told when it is done.
void console_shell::carry_out(const asker& from, const api::adopt_session& wish) const {
  audited(from, "adopt", to_hex(wish.id), "makes the recording of a lost recorder this node's own, and finishes it from copies",
          [me = *this, from, wish](const audit_entry& begun) {
            me.state().adoption.request(me.self_, copies_patience, session_adopt_request{wish.id})
              .then(me.answering(from), [me, from, begun](const caf::error& failed) {
                auto why = as_told_of_mesh(from_caf(failed), me.state().parts.cluster != nullptr);
                me.audit_failure(begun, why);
                me.refuse(from, why);
              });
          });
}

} // namespace lucid
