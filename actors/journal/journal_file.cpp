// actors/journal/journal_file.cpp - segments written, synced, recovered, read and dropped.
#include "actors/journal/journal_file.hpp"

#include <algorithm>

#include "adapters/files/atomic_write.hpp"
#include "messages/data_layout.hpp"

namespace lucid {
namespace {

/// A segment is read whole: its configured size, one largest record behind it, and room for larger settings. 128 MiB.
constexpr std::size_t segment_size_bytes_max = 128u << 20;

/// What stands in the recording in place of a fragment that was lost. One line of the events track.
fragment gap_in_place_of(std::uint64_t sequence, unix_time_us at_us) {
  auto line = "{\"at_us\":" + std::to_string(at_us) + ",\"kind\":\"gap\",\"detail\":{\"reason\":\"journal damaged\"," +
              "\"fragment\":" + std::to_string(sequence) + "}}\n";
  fragment gap;
  gap.sequence = sequence;
  gap.on = track::events;
  gap.kind = fragment_kind::event;
  gap.frame_count = 1; // One gap event.
  gap.start_us = gap.end_us = at_us;
  gap.bytes = payload(byte_buffer(line.begin(), line.end()));
  return gap;
}

} // namespace

// --- recovery --------------------------------------------------------------------------------------------------

/// Reads all segments in order and settles what a crash or damage left.
class journal_file::recovery {
public:
  recovery(const journal_options& options, file_system& files, const session_key& key)
    : options_(options), files_(files), key_(key) {}

  outcome<recovered> run() {
    auto made = files_.make_folder(options_.folder);
    if (!made) return pass_on(std::move(made));
    auto names = files_.list(options_.folder);
    if (!names) return pass_on(std::move(names));
    std::vector<std::uint32_t> numbers;
    for (auto& name : *names) {
      if (auto number = journal_segment_of(name)) numbers.push_back(*number);
      if (name.starts_with("journal-") && name.ends_with(part_suffix)) (void)files_.remove(options_.folder / name);
    }
    std::sort(numbers.begin(), numbers.end());
    for (auto number : numbers) {
      auto done = take(number, number == numbers.back());
      if (!done) return pass_on(std::move(done));
    }
    found_.end_is_damaged = damage_pending_;
    for (auto& per_segment : events_)
      found_.events.insert(found_.events.end(), per_segment.begin(), per_segment.end());
    return std::move(found_);
  }

private:
  outcome<void> take(std::uint32_t number, bool last) {
    auto file = options_.folder / journal_file_name(number);
    auto bytes = read_whole(files_, file, segment_size_bytes_max);
    if (!bytes) return pass_on(std::move(bytes));
    auto size = bytes->size();
    auto reader = segment_reader::open(std::move(*bytes), key_, options_.session, number);
    if (!reader) return set_aside(file, std::move(reader).error());

    auto segment = (*reader)->base();
    segment.number = number;
    if (!segment.carried) segment.end = segment.base;
    std::deque<fragment> events;
    auto stopped = read_all(**reader, segment, events);
    segment.size_bytes = (*reader)->offset_bytes();
    connect(segment);
    damage_pending_ = false;
    bool torn = !stopped && last && !segment.carried &&
                (stopped.error().code == errc::truncated || (*reader)->zeros_follow());
    if (torn || (last && stopped && size == segment.size_bytes)) {
      // The last one was being written: what is kept of it must be on the disk before anybody is told so.
      auto kept = settle(file, segment.size_bytes);
      if (!kept) return kept;
    } else if (!stopped) {
      note_damage(file, segment, stopped.error());
    }
    found_.segments.push_back(segment);
    events_.push_back(std::move(events));
    return {};
  }

  static outcome<void> read_all(segment_reader& reader, journal_segment& segment, std::deque<fragment>& events) {
    for (;;) {
      auto piece = reader.next();
      if (!piece) return pass_on(std::move(piece));
      if (!*piece) return {};
      if (!segment.carried) advance(segment.end, **piece);
      ((*piece)->on == track::video ? segment.last_video : segment.last_event) = (*piece)->sequence;
      if ((*piece)->on == track::events) events.push_back(std::move(**piece));
    }
  }

  outcome<void> settle(const std::filesystem::path& file, std::uint64_t size_bytes) {
    auto opened = files_.open(file, open_mode::extend);
    if (!opened) return pass_on(std::move(opened));
    if ((*opened)->size_bytes() != size_bytes) {
      auto cut = (*opened)->cut(size_bytes);
      if (!cut) return cut;
    }
    return (*opened)->sync();
  }

  /// What lies between the last segment and this one: nothing, files that a carried one replaces, or a loss.
  void connect(const journal_segment& segment) {
    auto& before = found_.segments;
    while (segment.carried && !before.empty() && before.back().base.last_sequence >= segment.base.last_sequence) {
      (void)files_.remove(options_.folder / journal_file_name(before.back().number)); // Else at the next start.
      before.pop_back();
      events_.pop_back();
    }
    if (segment.carried) // Holes among files that it replaces are removals that had begun.
      std::erase_if(found_.lost, [&](const lost_range& l) { return l.after >= segment.base.last_sequence; });
    auto end = before.empty() ? capture_position{} : before.back().end;
    bool gap = segment.base.last_sequence > end.last_sequence;
    // Behind a carried segment a gap is what was dropped; behind a plain one nothing is ever dropped alone.
    bool lost = gap && (damage_pending_ || (!before.empty() && !before.back().carried));
    if (lost) found_.lost.push_back({end.last_sequence, segment.base.last_sequence, end.source.recorded_until_us});
  }

  void note_damage(const std::filesystem::path& file, const journal_segment& segment, const error& cause) {
    found_.losses.push_back(error{errc::corrupted, "journal",
                                  file.string() + " is damaged from byte offset " + std::to_string(segment.size_bytes) +
                                    " on: what it held behind fragment " +
                                    std::to_string(std::max(segment.last_video, segment.last_event)) + " is lost",
                                  std::make_shared<const error>(cause)});
    if (segment.carried) // Which numbers it held is not known: one gap event stands for all of them.
      found_.lost.push_back({segment.last_event, segment.last_event + 1, segment.end.source.recorded_until_us});
    else
      damage_pending_ = true;
  }

  /// A segment of which nothing can be read. It is kept under another name, for whoever wants to look at it.
  outcome<void> set_aside(const std::filesystem::path& file, error cause) {
    if (cause.code == errc::wrong_key || cause.code == errc::unsupported) return tl::unexpected(std::move(cause));
    auto aside = file;
    aside.replace_extension(".damaged");
    auto moved = files_.rename(file, aside);
    if (moved) moved = files_.sync_folder(options_.folder);
    if (!moved) return moved;
    damage_pending_ = true;
    found_.losses.push_back(error{errc::corrupted, "journal",
                                  "all of " + file.string() + " is lost; it is kept as " + aside.string(),
                                  std::make_shared<const error>(std::move(cause))});
    return {};
  }

  const journal_options& options_;
  file_system& files_;
  const session_key& key_;
  recovered found_;
  std::vector<std::deque<fragment>> events_; // Beside found_.segments.
  bool damage_pending_ = false;
};

outcome<journal_file> journal_file::open(const journal_options& options, file_system& files,
                                         std::shared_ptr<const session_key> key, random_port& random) {
  auto found = recovery(options, files, *key).run();
  if (!found) return pass_on(std::move(found));
  bool end_is_damaged = found->end_is_damaged;
  journal_file journal(options, files, std::move(key), random, std::move(*found));
  if (end_is_damaged) {
    // Nobody knows how much was lost here: one gap event says that something was, and is written like any fragment.
    auto& end = journal.core_.written();
    auto gap = gap_in_place_of(end.last_sequence + 1, end.source.recorded_until_us);
    auto written = journal.write(gap, std::chrono::nanoseconds{});
    if (!written) return pass_on(std::move(written));
    auto synced = journal.sync();
    if (!synced) return pass_on(std::move(synced));
  }
  return journal;
}

journal_file::journal_file(const journal_options& options, file_system& files, std::shared_ptr<const session_key> key,
                           random_port& random, recovered found)
  : options_(options), files_(&files), key_(std::move(key)), random_(&random),
    core_(options.limits, std::move(found.segments)), lost_(std::move(found.lost)), losses_(std::move(found.losses)),
    events_(std::move(found.events)) {}

std::filesystem::path journal_file::file_of(std::uint32_t number) const {
  return options_.folder / journal_file_name(number);
}

// --- writing ---------------------------------------------------------------------------------------------------

outcome<journal_core::admission> journal_file::write(const fragment& f, std::chrono::nanoseconds now) {
  if (broken_) return tl::unexpected(*broken_);
  auto admitted = core_.admit(f.sequence);
  if (!admitted || *admitted != journal_core::admission::write) return admitted;
  if (core_.needs_segment()) {
    auto ready = end_segment();
    if (ready) ready = begin_segment();
    if (!ready) return pass_on(std::move(ready));
  }
  auto written = append(f, now);
  if (!written) return pass_on(std::move(written));
  if (f.on == track::events) events_.push_back(f);
  return journal_core::admission::wait;
}

/// A new file appears whole, with header and base record, or not at all.
outcome<void> journal_file::begin_segment() {
  auto segment = core_.next_segment();
  auto encoder = std::make_unique<journal_encoder>(options_.session, segment.number, *key_, *random_);
  byte_buffer start(encoder->header().begin(), encoder->header().end());
  if (segment.base.last_sequence > 0) {
    auto encoded = encoder->append(base_record_of(segment), start);
    if (!encoded) return encoded;
  }
  auto written = write_atomically(*files_, file_of(segment.number), start);
  if (!written) return written;
  auto opened = files_->open(file_of(segment.number), open_mode::extend);
  if (!opened) return pass_on(std::move(opened));
  open_ = std::move(*opened);
  encoder_ = std::move(encoder);
  core_.opened(start.size());
  return {};
}

outcome<void> journal_file::end_segment() {
  if (!open_) return {};
  auto synced = sync();
  if (!synced) return synced;
  open_.reset();
  encoder_.reset();
  core_.closed();
  return {};
}

outcome<void> journal_file::append(const fragment& f, std::chrono::nanoseconds now) {
  byte_buffer record;
  auto encoded = encoder_->append(f, record);
  if (!encoded) return encoded;
  auto before = open_->size_bytes();
  auto appended = open_->append(record);
  if (appended) {
    core_.wrote(f, record.size(), now);
    return {};
  }
  // The chain of this file has moved on with a record that is not there: undo it and go on in a new file.
  auto cut = open_->cut(before);
  if (!cut) broken_ = cut.error();
  auto ended = cut ? end_segment() : std::move(cut);
  return ended ? std::move(appended) : std::move(ended);
}

outcome<void> journal_file::sync() {
  if (broken_) return tl::unexpected(*broken_);
  if (core_.unsynced_bytes() == 0) return {};
  auto synced = open_->sync();
  if (!synced) {
    // The system may have thrown away what it could not write and call the next sync a success. So what was not
    // synced is taken back: whoever sent it has it still.
    (void)open_->cut(core_.segments().back().size_bytes - core_.unsynced_bytes());
    broken_ = synced.error();
    return synced;
  }
  core_.synced();
  return {};
}

// --- reading ---------------------------------------------------------------------------------------------------

outcome<journal_page> journal_file::read(const journal_read_request& request) {
  if (broken_) return tl::unexpected(*broken_);
  constexpr std::size_t entry_bytes = 256; // What a fragment costs beside its bytes: bounds pages of tiny ones.
  journal_page page;
  auto after = request.after_sequence;
  std::size_t taken = 0;
  for (;;) {
    auto piece = read_behind(after);
    if (!piece) return pass_on(std::move(piece));
    if (!*piece) break;
    auto size = (*piece)->bytes.size() + entry_bytes;
    if (!page.fragments.empty() && taken + size > request.size_bytes) {
      read_ahead_.emplace(after, std::move(**piece));
      return page;
    }
    taken += size;
    after = (*piece)->sequence;
    page.fragments.push_back(std::move(**piece));
  }
  if (page.fragments.empty()) reader_.reset(); // At the end: its buffer is not needed any more.
  return page;
}

outcome<std::optional<fragment>> journal_file::read_behind(std::uint64_t after) {
  if (auto ahead = std::exchange(read_ahead_, std::nullopt); ahead && ahead->first == after)
    return std::optional(std::move(ahead->second));
  for (auto& lost : lost_)
    if (after >= lost.after && after < lost.up_to) return std::optional(gap_in_place_of(after + 1, lost.at_us));
  for (auto& segment : core_.segments()) {
    if (segment.end.last_sequence <= after) continue;
    auto piece = read_from(segment, after);
    if (!piece) return piece;
    if (!*piece) continue;
    if ((*piece)->sequence > core_.durable().last_sequence) return std::optional<fragment>();
    // A loss may lie before what was found.
    for (auto& lost : lost_)
      if (lost.after >= after && lost.after < (*piece)->sequence - 1 && lost.up_to > after)
        return std::optional(gap_in_place_of(lost.after + 1, lost.at_us));
    return piece;
  }
  for (auto& lost : lost_)
    if (lost.after >= after) return std::optional(gap_in_place_of(lost.after + 1, lost.at_us));
  return std::optional<fragment>();
}

outcome<std::optional<fragment>> journal_file::read_from(const journal_segment& segment, std::uint64_t after) {
  bool goes_on = reader_ && reader_->base().number == segment.number && reader_size_bytes_ == segment.size_bytes &&
                 reader_->base().carried == segment.carried && last_read_ <= after;
  if (!goes_on) {
    // Only as far as it is known to be intact.
    auto bytes = files_->read(file_of(segment.number), 0, static_cast<std::size_t>(segment.size_bytes));
    if (!bytes) return pass_on(std::move(bytes));
    auto opened = segment_reader::open(std::move(*bytes), *key_, options_.session, segment.number);
    if (!opened) return pass_on(std::move(opened));
    reader_ = std::move(*opened);
    reader_size_bytes_ = segment.size_bytes;
    last_read_ = 0;
  }
  for (;;) {
    auto piece = reader_->next();
    if (!piece || !*piece) return piece;
    last_read_ = (*piece)->sequence;
    if (last_read_ > after) return piece;
  }
}

// --- dropping --------------------------------------------------------------------------------------------------

outcome<void> journal_file::drop(const journal_drop_request& stored) {
  if (broken_) return tl::unexpected(*broken_);
  while (!events_.empty() && events_.front().sequence <= stored.events_up_to) events_.pop_front();
  auto plan = core_.plan_drop(stored);
  std::uint64_t carried_size_bytes = 0;
  if (plan.write) {
    auto bytes = encode_carried(*plan.write, stored.events_up_to);
    if (!bytes) return pass_on(std::move(bytes));
    auto written = write_atomically(*files_, file_of(plan.write->number), *bytes);
    if (!written) return written;
    carried_size_bytes = bytes->size();
  }
  // Files that cannot be removed now cost space only: the next start finds them replaced, or they are dropped again.
  for (auto number : plan.remove) {
    auto removed = files_->remove(file_of(number));
    if (!removed) return removed;
  }
  core_.dropped(plan, carried_size_bytes);
  return {};
}

outcome<byte_buffer> journal_file::encode_carried(const journal_segment& as, std::uint64_t events_up_to) const {
  journal_encoder encoder(options_.session, as.number, *key_, *random_);
  byte_buffer bytes(encoder.header().begin(), encoder.header().end());
  std::uint64_t place = 1;
  auto encoded = encoder.append(base_record_of(as), bytes);
  for (auto& event : events_) {
    if (!encoded) return pass_on(std::move(encoded));
    if (event.sequence <= std::max(events_up_to, as.base.last_sequence)) continue;
    if (event.sequence > as.end.last_sequence) break;
    if (!can_be_carried(event))
      return fail(errc::limit_exceeded, "journal",
                  "event " + std::to_string(event.sequence) + " is too large to be carried over");
    encoded = encoder.append(carried_record_of(event, ++place), bytes);
  }
  if (!encoded) return pass_on(std::move(encoded));
  return bytes;
}

} // namespace lucid
