// actors/replication/holder_questions.hpp - what was asked of the holders, and is answered even when a holder is lost.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <caf/error.hpp>

#include "messages/paths.hpp"
#include "messages/ports/cluster.hpp"
#include "messages/replication_api.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/reply.hpp"

namespace lucid {

/// The ways to the holders, and the questions that are under way. What was asked of a node that is lost is never answered: it
/// counts as refused as soon as the way there is another.
/// Bounded by whoever asks. Threads: the actor's own.
class holder_questions {
public:
  void set_members(directory& names, const std::map<node_id, member_view>& members) {
    for (auto& [id, m] : members) {
      auto path = paths::of_node(m.name, paths::replicas);
      auto& holder = holders_[id];
      if (!holder.slot() || holder.slot()->path() != path) holder = {names, path};
    }
    std::erase_if(holders_, [&](const auto& h) { return !members.contains(h.first); });
    end_lost();
  }

  /// One that is no member: a way that leads nowhere, and answers so.
  ref<replica_api>& at(const node_id& holder) { return holders_[holder]; }

  /// Either `then` or `otherwise` is called, once, on the actor.
  template <class Answer, class Self, class Duration, class Message, class Then>
  void ask(Self self, const node_id& to, Duration timeout, Message what, Then then, std::function<void(const caf::error&)> otherwise) {
    auto asked = std::make_shared<question>(question{to, road_to(to), std::move(otherwise)});
    open_.push_back(asked);
    at(to)
      .request(self, timeout, std::move(what))
      .then(
        [asked, then = std::move(then)](const Answer& answer) {
          if (std::exchange(asked->over, true)) return;
          then(answer);
        },
        [asked](const caf::error& e) {
          if (!std::exchange(asked->over, true)) asked->otherwise(e);
        });
  }

private:
  struct question {
    node_id to{};
    std::uint64_t road = 0; ///< The generation of its place in the directory.
    std::function<void(const caf::error&)> otherwise;
    bool over = false;
  };

  std::uint64_t road_to(const node_id& to) {
    auto& slot = at(to).slot();
    return slot ? slot->generation_at()->load(std::memory_order_acquire) : 0;
  }

  void end_lost() {
    for (auto& one : std::exchange(open_, {})) {
      if (one->over) continue;
      if (holders_.contains(one->to) && road_to(one->to) == one->road) {
        open_.push_back(one);
        continue;
      }
      one->over = true;
      one->otherwise(to_caf({errc::unreachable, "replication", "the way to the holder was lost", nullptr}));
    }
  }

  std::map<node_id, ref<replica_api>> holders_;
  std::vector<std::shared_ptr<question>> open_;
};

} // namespace lucid
