// actors/console/stream_core.hpp - who watches what, and what each is told when: pure logic.
//
// A page says what it wants to see and how often. When it is its turn it gets what changed since it was last told; when
// it was too slow to take that, everything the next time. Nobody watching asks nobody anything.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/console/stream_message.hpp"
#include "actors/console/watched_rows.hpp"

namespace lucid {

/// A message for one page.
struct stream_frame {
  std::uint64_t stream = 0;
  std::string text;
};

/// What changed in one object, by member; a member that went is told as null.
class object_changes {
public:
  void update(const nlohmann::json& object);
  std::uint64_t version() const noexcept { return version_; }
  /// As `change_table::since`, without "gone".
  std::optional<std::string> since(std::uint64_t seen) const;

private:
  struct member {
    std::string text;
    std::uint64_t changed;
  };
  std::map<std::string, member> members_;
  std::uint64_t version_ = 0;
};

/// The streams of a console.
///
/// One round: when `next_due` has come, ask for all `due_topics`, hand over what was found by `take_...`, and send the
/// `frames`. What could not be found out is not handed over: whoever waits for it hears of it another time.
/// Times are of the monotonic clock. Threads: none; one owner.
/// Memory: the tables (see change_table), and for each tap `tap_messages_max` messages of what the runtime cuts them to.
class stream_core {
public:
  using time = std::chrono::nanoseconds;

  static constexpr std::size_t taps_max = 4;           ///< Of one page.
  static constexpr std::size_t tap_messages_max = 200; ///< Kept for one page until its turn; the rest is counted.

  void opened(std::uint64_t stream) { watchers_[stream]; }
  void closed(std::uint64_t stream);

  /// What a page says. Errors: `decode_stream_message`'s; `limit_exceeded` beyond `taps_max`; nothing has changed then.
  outcome<void> heard(std::uint64_t stream, std::string_view message, time now);

  /// A message did not get through: the page is told everything next. What a tap was told last counts as missed, at
  /// most: which message it was is not known.
  void skipped(std::uint64_t stream);

  /// When there is something to do; none while nobody watches.
  std::optional<time> next_due() const;
  /// What those who are due at `now` watch; "actors", "flow:<id>" ...
  std::set<std::string> due_topics(time now) const;

  void take_actors(std::vector<inspection> rows) { actors_.update(std::move(rows)); }
  void take_sessions(std::vector<session_summary> rows) { sessions_.update(std::move(rows)); }
  /// "node", "letters", "flow:<id>": the members of one object.
  void take_object(const std::string& topic, const nlohmann::json& object);

  /// A message that was tapped at `path`.
  void tapped(const std::string& path, const nlohmann::json& message);
  /// So many more flowed through `path` than could be read.
  void tap_missed(const std::string& path, std::uint64_t count);
  /// The actors that are to be tapped, while any page wants it.
  std::set<std::string> tapped_paths() const;

  /// What those who are due at `now` are told; each is due again after its interval.
  std::vector<stream_frame> frames(time now);

  std::size_t stream_count() const noexcept { return watchers_.size(); }

private:
  struct tap {
    std::vector<std::string> messages; ///< As JSON.
    std::uint64_t missed = 0;
    std::uint64_t told_last = 0;
  };
  struct watcher {
    std::map<std::string, std::uint64_t> topics; ///< With the version that was told; 0: nothing yet.
    std::map<std::string, tap> taps;
    std::chrono::milliseconds interval{1000};
    time due{};
    time earliest{}; ///< Wishing anew does not make a page's turns come faster than `watch_interval_min`.

    bool is_idle() const { return topics.empty() && taps.empty(); }
  };

  outcome<void> carry_out(watcher& page, const watch_wish& wish, time now);
  outcome<void> carry_out(watcher& page, const tap_wish& wish, time now);
  outcome<void> carry_out(watcher& page, const untap_wish& wish, time now);
  void forget_unwatched();
  bool is_watched(const std::string& topic) const;
  /// What is new in a topic: its text and version.
  std::optional<std::pair<std::string, std::uint64_t>> news_of(const std::string& topic, std::uint64_t seen) const;
  static std::optional<std::string> news_of(const std::string& path, tap& from);

  std::map<std::uint64_t, watcher> watchers_;
  change_table<inspection> actors_{actor_members(), key_of_actor};
  change_table<session_summary> sessions_{session_members(), key_of_session};
  std::map<std::string, object_changes> objects_;
};

} // namespace lucid
