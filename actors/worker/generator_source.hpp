// actors/worker/generator_source.hpp - a made-up desktop: frame N is a function of the plan and N alone.
#pragma once

#include <optional>

#include "messages/ports/frame_source.hpp"
#include "messages/source_url.hpp"

namespace lucid {

/// Draws frames of a plan. Pure: the same plan and number give the same pixels, however one got there.
class generator_picture {
public:
  explicit generator_picture(const generator_plan& plan) : plan_(plan) {}

  /// Brings the picture to frame `number`; draws only what differs from the last one drawn, if that was the one before.
  /// The view's time is since frame 0.
  frame_view draw(std::uint64_t number);

  /// When frame `number` is shown, in microseconds since frame 0.
  std::int64_t shown_us(std::uint64_t number) const noexcept;

private:
  void resize_for(std::uint64_t number);
  void mark_changes(std::uint64_t number);
  void mark(const damage_rect& rect);
  void paint(std::uint64_t number, const damage_rect& rect);
  std::uint32_t pixel(std::uint64_t number, std::uint32_t x, std::uint32_t y) const noexcept;

  damage_rect text_area() const noexcept;
  damage_rect window() const noexcept;
  damage_rect box(std::uint64_t number) const noexcept;

  generator_plan plan_;
  std::uint32_t width_ = 0;
  std::uint32_t height_ = 0;
  std::optional<std::uint64_t> drawn_;
  std::vector<std::uint32_t> pixels_;
  std::vector<damage_rect> damage_;
};

/// The generator as a source, from frame `first` on. `base_us` is the time of frame 0.
/// Threads: as the port. Errors: none.
class generator_source : public frame_source {
public:
  generator_source(const generator_plan& plan, std::uint64_t first, unix_time_us base_us);

  outcome<void> open() override;
  outcome<source_poll> next(std::chrono::milliseconds patience) override;
  void close() noexcept override {}

private:
  generator_plan plan_;
  generator_picture picture_;
  std::uint64_t next_;
  unix_time_us base_us_;
  std::chrono::steady_clock::time_point zero_; ///< When frame 0 would have been shown.
};

} // namespace lucid
