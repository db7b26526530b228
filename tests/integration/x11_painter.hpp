// tests/integration/x11_painter.hpp - a second client that draws on a display, moves its mouse and changes its size.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <xcb/randr.h>
#include <xcb/xcb.h>

namespace lucid::test {

class painter {
public:
  explicit painter(const std::string& display) : connection_(xcb_connect(display.c_str(), nullptr)) {
    if (xcb_connection_has_error(connection_)) throw std::runtime_error("painter: no display " + display);
    root_ = xcb_setup_roots_iterator(xcb_get_setup(connection_)).data->root;
    context_ = xcb_generate_id(connection_);
    std::uint32_t over_all_windows = XCB_SUBWINDOW_MODE_INCLUDE_INFERIORS;
    xcb_create_gc(connection_, context_, root_, XCB_GC_SUBWINDOW_MODE, &over_all_windows);
  }
  ~painter() { xcb_disconnect(connection_); }
  painter(const painter&) = delete;
  painter& operator=(const painter&) = delete;

  /// Fills an area with 0xRRGGBB. Done when it returns.
  void fill(int x, int y, unsigned width, unsigned height, std::uint32_t colour) {
    xcb_change_gc(connection_, context_, XCB_GC_FOREGROUND, &colour);
    xcb_rectangle_t area{static_cast<std::int16_t>(x), static_cast<std::int16_t>(y), static_cast<std::uint16_t>(width),
                         static_cast<std::uint16_t>(height)};
    xcb_poly_fill_rectangle(connection_, root_, context_, 1, &area);
    sync();
  }

  /// From now on the cursor is a solid square of 16 by 16, 0xRRGGBB, that points with its top left corner.
  void set_cursor(std::uint32_t colour) {
    auto pixmap = xcb_generate_id(connection_);
    xcb_create_pixmap(connection_, 1, pixmap, root_, 16, 16);
    auto context = xcb_generate_id(connection_);
    std::uint32_t one = 1;
    xcb_create_gc(connection_, context, pixmap, XCB_GC_FOREGROUND, &one);
    xcb_rectangle_t all{0, 0, 16, 16};
    xcb_poly_fill_rectangle(connection_, pixmap, context, 1, &all);
    auto cursor = xcb_generate_id(connection_);
    auto part = [&](int shift) { return static_cast<std::uint16_t>(((colour >> shift) & 255u) * 257u); };
    xcb_create_cursor(connection_, cursor, pixmap, pixmap, part(16), part(8), part(0), part(16), part(8), part(0), 0, 0);
    // An invisible window above all others, so that no window manager has a say in it.
    auto window = xcb_generate_id(connection_);
    std::uint32_t values[] = {1, cursor};
    xcb_create_window(connection_, XCB_COPY_FROM_PARENT, window, root_, 0, 0, 8192, 8192, 0,
                      XCB_WINDOW_CLASS_INPUT_ONLY, XCB_COPY_FROM_PARENT, XCB_CW_OVERRIDE_REDIRECT | XCB_CW_CURSOR, values);
    xcb_map_window(connection_, window);
    sync();
  }

  void move_mouse(int x, int y) {
    xcb_warp_pointer(connection_, XCB_NONE, root_, 0, 0, 0, 0, static_cast<std::int16_t>(x), static_cast<std::int16_t>(y));
    sync();
  }

  /// False when the display cannot.
  bool set_size(std::uint16_t width, std::uint16_t height) {
    // A display that is shown somewhere cannot become smaller than what shows it: switch that off first.
    auto* resources = xcb_randr_get_screen_resources_current_reply(
      connection_, xcb_randr_get_screen_resources_current(connection_, root_), nullptr);
    if (!resources) return false;
    const auto* shown_by = xcb_randr_get_screen_resources_current_crtcs(resources);
    for (int i = 0; i < xcb_randr_get_screen_resources_current_crtcs_length(resources); ++i)
      xcb_randr_set_crtc_config(connection_, shown_by[i], XCB_CURRENT_TIME, resources->config_timestamp, 0, 0, XCB_NONE,
                                XCB_RANDR_ROTATION_ROTATE_0, 0, nullptr);
    std::free(resources);
    auto* refusal = xcb_request_check(
      connection_, xcb_randr_set_screen_size_checked(connection_, root_, width, height, width / 4u, height / 4u));
    bool done = !refusal;
    std::free(refusal);
    return done;
  }

  void sync() { std::free(xcb_get_input_focus_reply(connection_, xcb_get_input_focus(connection_), nullptr)); }

private:
  xcb_connection_t* connection_;
  xcb_window_t root_;
  xcb_gcontext_t context_;
};

} // namespace lucid::test
