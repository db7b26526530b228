// runtime/directory/directory.hpp - which actor is behind a path at present.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "messages/inspection.hpp"
#include "runtime/inspection/message_tap.hpp"
#include "runtime/inspection/observed_actor.hpp"

namespace lucid {

/// One path: its present incarnation, and what is remembered of earlier ones.
/// Threads: safe from any. Reading the generation is one atomic load; the rest takes a lock of this slot alone.
class directory_slot {
public:
  directory_slot(std::string path, std::shared_ptr<std::atomic<std::uint64_t>> dead_letters_total);

  const std::string& path() const noexcept { return path_; }

  /// Changes whenever the present incarnation does. A reader that saw it unchanged may use what it knows.
  const std::atomic<std::uint64_t>* generation_at() const noexcept { return &generation_; }

  struct occupant {
    caf::strong_actor_ptr actor; ///< Null: nobody.
    std::uint64_t incarnation = 0;
    std::uint64_t generation = 0;
    std::shared_ptr<const observed_actor> observed;
  };
  occupant present() const;

  /// The messages that flow through this path, for whoever watches.
  const std::shared_ptr<message_tap>& tap() const noexcept { return tap_; }

  /// The number of a new incarnation. Counts on as long as the slot lives, also across restarts of the supervisor.
  std::uint64_t begin_incarnation();
  /// The last one that was put in place; 0: none yet.
  std::uint64_t incarnation() const;

  /// Puts an incarnation in place, unless it or a later one was there before.
  void publish(std::uint64_t incarnation, caf::strong_actor_ptr actor, std::shared_ptr<const observed_actor> observed,
               unix_time_us now_us);
  /// Takes it away, unless a later one is in place.
  void withdraw(std::uint64_t incarnation);
  /// Remembers why an incarnation ended.
  void note_restart(restart_record record);
  std::uint64_t restart_count() const;

  /// What its supervisor says of it: how it is supervised, and what it is doing. From then on it is listed.
  void describe(spec_summary spec);
  void show(actor_state state);
  spec_summary spec() const;

  /// The present incarnation of an actor of another node; null: it cannot be reached. From then on this path is such
  /// an actor's: its own node supervises, lists and measures it.
  void place_remote(caf::strong_actor_ptr actor);

  void count_dead_letter() noexcept;

  /// Its supervisor forgot it: it is listed no more, unless an actor comes again.
  void set_forgotten();
  /// Whether there is, was or will be an actor that has not been forgotten.
  bool listed() const;

  /// Adds the actor system's numbers of its present and its last incarnations, with this path.
  void add_actor_ids(std::unordered_map<std::uint64_t, std::string>& into) const;

  /// All that can be told from outside, without the actor's help. Times are told by `clock`.
  inspection inspect_from_outside(std::chrono::nanoseconds now) const;

private:
  const std::string path_;
  std::atomic<std::uint64_t> generation_{1};
  std::atomic<std::uint64_t> dead_letters_{0};
  const std::shared_ptr<std::atomic<std::uint64_t>> dead_letters_total_;
  const std::shared_ptr<message_tap> tap_ = std::make_shared<message_tap>();
  mutable std::mutex mutex_;
  caf::strong_actor_ptr actor_;
  std::shared_ptr<const observed_actor> observed_;
  bool described_ = false;
  spec_summary spec_;
  actor_state state_ = actor_state::stopped;
  std::deque<std::uint64_t> actor_ids_; ///< At most inspection_restarts_max.
  std::uint64_t incarnation_ = 0;
  std::uint64_t begun_ = 0;
  bool forgotten_ = false;
  bool remote_ = false;
  unix_time_us started_us_ = 0;
  std::uint64_t restart_count_ = 0;
  std::deque<restart_record> restarts_; ///< At most inspection_restarts_max.
};

using slot_ptr = std::shared_ptr<directory_slot>;

/// All paths of a process.
/// Owns: the slots, together with the refs to them. A path that nobody occupies or refers to is dropped in time.
/// Threads: safe from any. Outlives the actor system.
class directory {
public:
  directory();

  /// The slot of `path`, made on first use: a ref may be older than its actor.
  slot_ptr slot(std::string_view path);

  /// Drops what is remembered of `path` and of all below it, once nobody refers to it.
  void forget(std::string_view path);

  /// All slots that have, had or await an actor, ordered by path.
  std::vector<slot_ptr> slots() const;

  /// Paths by the actor system's numbers, of present and recent incarnations.
  std::unordered_map<std::uint64_t, std::string> paths_by_actor() const;

  /// Messages sent to paths where nobody was.
  std::uint64_t dead_letter_count() const noexcept { return dead_letters_->load(std::memory_order_relaxed); }

private:
  void sweep();

  mutable std::mutex mutex_;
  std::map<std::string, slot_ptr, std::less<>> slots_;
  std::size_t sweep_at_ = 128;
  std::shared_ptr<std::atomic<std::uint64_t>> dead_letters_;
};

} // namespace lucid
