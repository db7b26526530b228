// actors/node/cli/terminal.hpp - what people see: errors, tables, a live line.
#pragma once

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "messages/error.hpp"

namespace lucid {

inline constexpr int standard_output = 1, standard_error = 2;

/// Whether this file descriptor is a terminal that somebody watches.
bool is_terminal(int descriptor) noexcept;

/// Whether standard error may be coloured: a terminal, and NO_COLOR is not set.
bool wants_colour() noexcept;

/// "lucid: error: what was wrong", and a line "because of: ..." for each cause. Foreign text is made printable.
void print_error(std::ostream& to, const error& e);

/// Columns of text, as wide as their widest cell. Cells are made printable.
class table {
public:
  enum class align : std::uint8_t { left, right };
  struct column {
    std::string head;
    align where = align::left;
  };

  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}

  /// Adds a row; cells that are missing stay empty.
  void add(std::vector<std::string> cells);
  void print(std::ostream& to) const;

private:
  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

enum class progress_unit : std::uint8_t { bytes, count, seconds };

/// "sealing  12.0 MiB of 40.0 MiB  30 %  6.00 MiB/s  5 s left". A `total` of 0 is an unknown one.
std::string progress_text(std::string_view label, std::uint64_t done, std::uint64_t total, progress_unit unit,
                          std::chrono::milliseconds elapsed, std::string_view note = {});

/// A line that is written over while work goes on, at most ten times a second.
/// Owns: nothing but the line; the stream must outlive it. Threads: one.
class progress {
public:
  progress(std::ostream& to, bool live, std::string label, std::uint64_t total, progress_unit unit);
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress(); ///< Ends the line.

  /// `note` stands at the end: what a number does not say, such as "3 chunks".
  void update(std::uint64_t done, std::string_view note = {});
  /// Shows the last state and ends the line.
  void finish();

private:
  void show();

  std::ostream& to_;
  bool live_;
  std::string label_;
  std::uint64_t total_;
  progress_unit unit_;
  std::uint64_t done_ = 0;
  std::string note_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_{};
  bool ended_ = false;
};

} // namespace lucid
