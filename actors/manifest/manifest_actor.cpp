// actors/manifest/manifest_actor.cpp - rows from the store, through the core, signed, back into the store.
#include "actors/manifest/manifest_actor.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/all.hpp>

#include "actors/format/manifest_codec.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/storage_api.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

constexpr auto store_timeout = std::chrono::seconds(60);

struct manifest_state {
  static inline const char* name = "manifest";
  manifest_options options;
  ref<store_api> store;
};
using manifest_self = manifest_api::stateful_pointer<manifest_state>;
using entry_promise = owed_answer<anchor_entry>;

/// The steps of one request, each after the store's answer to the one before.
struct manifest_build {
  manifest_self self;
  manifest_build_request request;
  entry_promise promise;

  // One that is stored stays, also if another version of this program would word it differently.
  void look_for_stored() const {
    ask(unanchored_list_request{}, [me = *this](const std::vector<anchor_entry>& stored) {
      auto mine = std::find_if(stored.begin(), stored.end(),
                               [&](const anchor_entry& e) { return e.session == me.request.session; });
      if (mine == stored.end()) return me.read_session();
      auto answer = me.promise;
      answer.deliver(*mine);
    });
  }

  void read_session() const {
    ask(session_get_request{request.session}, [me = *this](const session_row& row) { me.read_chunks(row); });
  }

  void read_chunks(const session_row& row) const {
    ask(chunk_list_request{request.session},
        [me = *this, row](const std::vector<chunk_record>& chunks) { me.sign(row, chunks); });
  }

  void sign(const session_row& row, const std::vector<chunk_record>& chunks) const {
    auto& options = self->state.options;
    auto commitment = options.key_commitment != digest{} ? options.key_commitment : row.key_commitment;
    if (commitment == digest{})
      return refuse({errc::wrong_state, "manifest", "the session's row is of an earlier version: it has no commitment to its key", nullptr});
    auto built = build_manifest(row, chunks, {options.recorder->public_key(), commitment, request.interrupted});
    if (!built) return refuse(built.error());
    auto document = sign_manifest(*built, *options.recorder);
    if (!document) return refuse(document.error());
    auto entry = anchor_entry_of(*built, document->hash);
    ask(manifest_put_request{request.session, *document, entry},
        [me = *this, entry](const signed_manifest&) mutable { me.promise.deliver(entry); });
  }

private:
  template <class Request, class Then>
  void ask(Request what, Then then) const {
    self->state.store.request(self, store_timeout, std::move(what))
      .then(std::move(then), [me = *this](const caf::error& failed) mutable { me.promise.deliver(failed); });
  }

  void refuse(const error& e) const {
    auto answer = promise;
    answer.deliver(to_caf(e));
  }
};

manifest_api::behavior_type manifest_actor(manifest_self self, actor_context ctx, manifest_options options) {
  self->state.options = std::move(options);
  self->state.store = {ctx.directory(), paths::store};
  return supervised(self, ctx,
                    {
                      [self](const manifest_build_request& request) {
                        owed_answer<anchor_entry> promise(self);
                        manifest_build{self, request, promise}.look_for_stored();
                        return promise.promise();
                      },
                    });
}

} // namespace

child_spec manifest_child(manifest_options options) {
  return {.id = "manifest",
          .start = child_of(manifest_actor, std::move(options)),
          .shutdown_timeout = std::chrono::seconds(2)};
}

} // namespace lucid
