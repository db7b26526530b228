// actors/console/audit_log.cpp - lines appended, synced, found again, verified.
#include "actors/console/audit_log.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace lucid {
namespace {

constexpr const char* who = "audit";
constexpr std::size_t piece_bytes = 1u << 20;

/// Goes through the lines of a file of which only a piece is in memory.
class line_reader {
public:
  line_reader(file_system& files, file_system::path file) : files_(files), file_(std::move(file)) {}

  /// The next whole line, without its end; none behind the last one. Valid until the next call.
  /// Errors: `corrupted` for a line longer than any entry.
  outcome<std::optional<std::string_view>> next() {
    for (;;) {
      auto rest = std::string_view(text_).substr(taken_);
      if (auto end = rest.find('\n'); end != std::string_view::npos && end <= audit_line_bytes_max) {
        taken_ += end + 1;
        end_ += end + 1;
        ++number_;
        return std::optional(rest.substr(0, end));
      }
      if (rest.size() > audit_line_bytes_max)
        return fail(errc::corrupted, who, fmt::format("entry {} is longer than any can be", number_ + 1));
      auto more = files_.read(file_, end_ + rest.size(), piece_bytes);
      if (!more) return pass_on(std::move(more));
      if (more->empty()) return std::optional<std::string_view>();
      text_.erase(0, std::exchange(taken_, 0));
      text_.append(as_text(*more));
    }
  }

  std::uint64_t number() const noexcept { return number_; } ///< Of the line last read.
  std::uint64_t end() const noexcept { return end_; }       ///< The offset behind it.

private:
  file_system& files_;
  file_system::path file_;
  std::string text_;
  std::size_t taken_ = 0;
  std::uint64_t number_ = 0;
  std::uint64_t end_ = 0;
};

/// The error of an entry with its number, which the line itself may not tell.
error as_entry(std::uint64_t number, error because) {
  return {errc::corrupted, who, fmt::format("entry {} is damaged", number), std::make_shared<const error>(std::move(because))};
}

} // namespace

outcome<audit_log> audit_log::open(file_system& files, const path& file, const sign_key& key) {
  audit_log log(files, file, key);
  auto opened = files.open(file, open_mode::extend);
  if (!opened && opened.error().code == errc::not_found) {
    if (auto made = files.make_folder(file.parent_path()); !made) return pass_on(std::move(made));
    opened = files.open(file, open_mode::fresh);
    if (!opened) return pass_on(std::move(opened));
    if (auto named = files.sync_folder(file.parent_path()); !named) return pass_on(std::move(named));
  }
  if (!opened) return pass_on(std::move(opened));
  log.open_ = std::move(*opened);
  if (auto settled = log.settle(); !settled) return pass_on(std::move(settled));
  return log;
}

/// Finds the lines, cuts off what a crash left of one, and takes up the chain at its end.
outcome<void> audit_log::settle() {
  line_reader lines(*files_, file_);
  bool is_torn = false;
  for (;;) {
    auto line = lines.next();
    if (!line) return pass_on(std::move(line));
    if (!*line) break;
    ends_.push_back(lines.end());
    is_torn = (*line)->find('\0') != std::string_view::npos;
  }
  // The length reached the disk, the bytes did not: it was never answered.
  if (is_torn) ends_.pop_back();
  auto whole = ends_.empty() ? 0 : ends_.back();
  if (open_->size_bytes() != whole) {
    auto cut = open_->cut(whole);
    if (cut) cut = open_->sync();
    if (!cut) return cut;
  }
  if (ends_.empty()) return {};
  auto last = line(count());
  if (!last) return pass_on(std::move(last));
  auto entry = decode_audit_entry(*last);
  if (!entry)
    return fail(errc::corrupted, who,
                fmt::format("entry {} of {} is damaged, and nothing can be chained to it; keep the file as evidence and move "
                            "it away, then a new one begins",
                            count(), file_.string()),
                entry.error());
  last_hash_ = entry->hash;
  return {};
}

outcome<audit_entry> audit_log::append(const audit_action& what, unix_time_us at_us) {
  if (broken_) return tl::unexpected(*broken_);
  auto entry = make_audit_entry(count() + 1, last_hash_, at_us, what, *key_);
  if (!entry) return entry;
  auto line = encode_audit_entry(*entry) + '\n';
  auto before = open_->size_bytes();
  if (before + line.size() > audit_log_bytes_max)
    return fail(errc::limit_exceeded, who,
                fmt::format("{} is full; move it away, then a new one begins", file_.string()));
  auto written = open_->append(as_bytes(line));
  if (written) written = open_->sync();
  if (!written) {
    (void)open_->cut(before);
    broken_ = written.error();
    return pass_on(std::move(written));
  }
  ends_.push_back(before + line.size());
  last_hash_ = entry->hash;
  return entry;
}

outcome<std::string> audit_log::line(std::uint64_t number) const {
  auto begin = begin_of(number);
  auto size = static_cast<std::size_t>(ends_[number - 1] - begin);
  auto bytes = files_->read(file_, begin, size);
  if (!bytes) return pass_on(std::move(bytes));
  if (bytes->size() != size) return fail(errc::truncated, who, fmt::format("entry {} ends early", number));
  return std::string(as_text(*bytes).substr(0, size - 1));
}

outcome<std::vector<audit_entry>> audit_log::read(std::uint64_t before, std::uint32_t wanted) const {
  auto number = before == 0 || before > count() + 1 ? count() : before - 1;
  std::vector<audit_entry> entries;
  for (; number > 0 && entries.size() < std::min(wanted, audit_read_count_max); --number) {
    auto text = line(number);
    if (!text) return pass_on(std::move(text));
    auto entry = decode_audit_entry(*text);
    if (!entry) return tl::unexpected(as_entry(number, entry.error()));
    entries.push_back(std::move(*entry));
  }
  return entries;
}

outcome<audit_verdict> verify_audit_log(file_system& files, const file_system::path& file, const sign_public_key& key) {
  line_reader lines(files, file);
  audit_verdict verdict;
  digest previous{};
  for (;;) {
    auto line = lines.next();
    if (!line && line.error().code == errc::not_found) return verdict;
    if (!line && line.error().code != errc::corrupted) return pass_on(std::move(line));
    if (line && !*line) return verdict;
    auto entry = line ? decode_audit_entry(**line) : outcome<audit_entry>(pass_on(std::move(line)));
    auto good = entry ? verify_audit_entry(*entry, verdict.intact_count, previous, key) : outcome<void>(pass_on(std::move(entry)));
    if (!good) {
      verdict.first_broken = as_entry(verdict.intact_count + 1, good.error());
      return verdict;
    }
    previous = entry->hash;
    ++verdict.intact_count;
  }
}

} // namespace lucid
