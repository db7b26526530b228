// adapters/xcb/x11_source.cpp - damage in, changed pixels out.
#include "adapters/xcb/x11_source.hpp"

#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <xcb/damage.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>
#include <xcb/xcbext.h>
#include <xcb/xfixes.h>

#include "messages/picture.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto who = "x11";
constexpr auto answer_time_max = 5s;       ///< A display that is alive answers in milliseconds.
constexpr auto pointer_look_still = 200ms; ///< Five looks a second find a mouse that starts to move ...
constexpr auto pointer_look_moving = 40ms; ///< ... and 25 follow it while it does.
constexpr auto pointer_moving_time = 1s;   ///< So long after its last move.

template <class T>
struct freed {
  void operator()(T* memory) const noexcept { std::free(memory); }
};
template <class T>
using xcb_ptr = std::unique_ptr<T, freed<T>>;

unix_time_us now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
    .count();
}

/// Memory that the X server writes into.
struct shared_memory {
  std::uint8_t* bytes = nullptr;
  std::size_t size_bytes = 0;
  xcb_shm_seg_t id = 0;
};

struct geometry {
  std::uint32_t width = 0, height = 0;
};

} // namespace

outcome<x11_options> x11_options_from(std::string_view source) {
  constexpr std::string_view scheme = "x11://";
  if (!source.starts_with(scheme))
    return fail(errc::invalid_input, who, "a display is named x11://:N, not '" + std::string(source.substr(0, 200)) + "'");
  x11_options options;
  options.display = source.substr(scheme.size());
  if (options.display.empty()) return options;
  auto at = options.display.find_first_not_of("0123456789", 1);
  if (at != std::string::npos && options.display[at] == '.' && at + 1 < options.display.size())
    at = options.display.find_first_not_of("0123456789", at + 1);
  constexpr std::size_t length_max = 16; // Far more digits than displays and screens have.
  if (options.display[0] != ':' || options.display.size() < 2 || options.display[1] == '.' || at != std::string::npos ||
      options.display.size() > length_max)
    return fail(errc::invalid_input, who,
                "a display is named x11://:N, a local one with a number, not '" + std::string(source.substr(0, 200)) + "'");
  return options;
}

/// One connection to a display.
class x11_source::session {
public:
  explicit session(const x11_options& options) : with_cursor_(options.with_cursor), name_(options.display) {}

  ~session() {
    release(picture_);
    release(part_);
    if (connection_) xcb_disconnect(connection_);
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  outcome<void> connect();
  outcome<source_poll> next(std::chrono::milliseconds patience);

private:
  // --- asking the server
  outcome<void> poll_connection(std::chrono::milliseconds time);
  template <class Reply>
  outcome<xcb_ptr<Reply>> answer(unsigned sequence, const char* what);
  outcome<void> check_extensions();
  outcome<void> check_pixel_format(const xcb_screen_t& screen);
  error gone() const;

  // --- memory
  outcome<shared_memory> share(std::size_t size_bytes);
  void release(shared_memory& memory) noexcept;
  outcome<void> resize(geometry size);

  // --- what changes
  void read_events();
  outcome<void> look_at_pointer();
  outcome<void> read_cursor_image();
  outcome<void> wait_for_change(std::chrono::milliseconds patience);
  bool changed() const noexcept { return damaged_ || pointer_moved_ || cursor_changed_ || new_size_; }

  // --- the picture
  outcome<std::vector<damage_rect>> take_damage();
  outcome<bool> capture(const std::vector<damage_rect>& areas);
  std::vector<damage_rect> draw_cursor();
  source_event event(const char* kind) const;
  std::size_t stride_bytes() const noexcept { return std::size_t{root_size_.width} * 4; }

  bool with_cursor_;
  std::string name_;
  xcb_connection_t* connection_ = nullptr;
  xcb_window_t root_ = 0;
  std::uint8_t damage_event_ = 0, cursor_event_ = 0;
  xcb_damage_damage_t damage_ = 0;
  xcb_xfixes_region_t region_ = 0;

  geometry root_size_;    ///< Of the display, as shared with the server.
  geometry picture_size_; ///< As delivered: even.
  shared_memory picture_; ///< The whole picture, rows as wide as the display.
  shared_memory part_;    ///< Areas narrower than the display arrive here.

  bool damaged_ = false, cursor_changed_ = false, pointer_moved_ = false;
  bool all_damaged_ = false;
  std::optional<geometry> new_size_;
  std::int32_t pointer_x_ = 0, pointer_y_ = 0;
  clock::time_point pointer_looked_{}, pointer_moved_at_{};
  cursor_image cursor_;
  cursor_overlay overlay_;

  std::vector<source_event> events_;
  std::vector<damage_rect> delivered_; ///< What the last frame's view of its damage refers to.
};

// --- asking the server -------------------------------------------------------------------------------------------

error x11_source::session::gone() const {
  return {errc::unreachable, who, "the display " + name_ + " is gone", nullptr};
}

/// Sleeps until the server has sent something, at most `time`.
outcome<void> x11_source::session::poll_connection(std::chrono::milliseconds time) {
  pollfd waiting{xcb_get_file_descriptor(connection_), POLLIN, 0};
  auto left = static_cast<int>(std::clamp<std::int64_t>(time.count(), 0, 3'600'000));
  if (::poll(&waiting, 1, left) < 0 && errno != EINTR)
    return fail(errc::io_failed, who, std::string("poll: ") + std::strerror(errno));
  return {};
}

template <class Reply>
outcome<xcb_ptr<Reply>> x11_source::session::answer(unsigned sequence, const char* what) {
  auto deadline = clock::now() + answer_time_max;
  xcb_flush(connection_);
  for (;;) {
    void* reply = nullptr;
    xcb_generic_error_t* refusal = nullptr;
    if (xcb_poll_for_reply(connection_, sequence, &reply, &refusal)) {
      if (reply) return xcb_ptr<Reply>(static_cast<Reply*>(reply));
      if (xcb_connection_has_error(connection_)) return tl::unexpected(gone());
      auto code = refusal ? refusal->error_code : 0;
      std::free(refusal);
      return fail(errc::refused, who, std::string("the display refused ") + what + ", X error " + std::to_string(code));
    }
    if (xcb_connection_has_error(connection_)) return tl::unexpected(gone());
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
    if (left <= 0ms) return fail(errc::timeout, who, "the display " + name_ + " has not answered for 5 s");
    if (auto polled = poll_connection(left); !polled) return pass_on(std::move(polled));
  }
}

outcome<void> x11_source::session::check_extensions() {
  for (auto* extension : {&xcb_shm_id, &xcb_damage_id, &xcb_xfixes_id})
    xcb_prefetch_extension_data(connection_, extension);
  // Waits for these answers with a bound, which xcb_get_extension_data would not.
  auto fetched = answer<xcb_get_input_focus_reply_t>(xcb_get_input_focus(connection_).sequence, "to name its extensions");
  if (!fetched) return pass_on(std::move(fetched));
  struct wanted {
    xcb_extension_t* extension;
    const char* name;
  };
  for (auto [extension, name] : {wanted{&xcb_shm_id, "MIT-SHM"}, {&xcb_damage_id, "DAMAGE"}, {&xcb_xfixes_id, "XFIXES"}}) {
    const auto* data = xcb_get_extension_data(connection_, extension);
    if (!data || !data->present)
      return fail(errc::unsupported, who, "the display " + name_ + " lacks the extension " + name);
  }
  damage_event_ = xcb_get_extension_data(connection_, &xcb_damage_id)->first_event + XCB_DAMAGE_NOTIFY;
  cursor_event_ = xcb_get_extension_data(connection_, &xcb_xfixes_id)->first_event + XCB_XFIXES_CURSOR_NOTIFY;

  // Each must be told which version its client speaks before anything else.
  auto shm = xcb_shm_query_version(connection_).sequence;
  auto damage = xcb_damage_query_version(connection_, 1, 1).sequence;
  auto xfixes = xcb_xfixes_query_version(connection_, 4, 0).sequence;
  auto shm_version = answer<xcb_shm_query_version_reply_t>(shm, "MIT-SHM");
  if (!shm_version) return pass_on(std::move(shm_version));
  if (auto version = answer<xcb_damage_query_version_reply_t>(damage, "DAMAGE"); !version)
    return pass_on(std::move(version));
  if (auto version = answer<xcb_xfixes_query_version_reply_t>(xfixes, "XFIXES"); !version)
    return pass_on(std::move(version));
  if ((*shm_version)->major_version < 1 || ((*shm_version)->major_version == 1 && (*shm_version)->minor_version < 2))
    return fail(errc::unsupported, who, "the display " + name_ + " has MIT-SHM before 1.2, which cannot share by descriptor");
  return {};
}

outcome<void> x11_source::session::check_pixel_format(const xcb_screen_t& screen) {
  const auto* setup = xcb_get_setup(connection_);
  bool wide = false;
  for (auto at = xcb_setup_pixmap_formats_iterator(setup); at.rem; xcb_format_next(&at))
    wide = wide || (at.data->depth == screen.root_depth && at.data->bits_per_pixel == 32);
  bool blue_first = setup->image_byte_order == XCB_IMAGE_ORDER_LSB_FIRST;
  for (auto depth = xcb_screen_allowed_depths_iterator(&screen); depth.rem; xcb_depth_next(&depth))
    for (auto visual = xcb_depth_visuals_iterator(depth.data); visual.rem; xcb_visualtype_next(&visual))
      if (visual.data->visual_id == screen.root_visual)
        blue_first = blue_first && visual.data->red_mask == 0xff0000 && visual.data->blue_mask == 0xff;
  if (wide && blue_first && (screen.root_depth == 24 || screen.root_depth == 32)) return {};
  return fail(errc::unsupported, who, "the display " + name_ + " has depth " + std::to_string(screen.root_depth) +
                                        "; only 24 or 32 bit true colour, blue first, can be recorded");
}

outcome<void> x11_source::session::connect() {
  if (name_.empty()) {
    const char* from_environment = std::getenv("DISPLAY");
    if (!from_environment || !*from_environment)
      return fail(errc::invalid_input, who, "no display is named and DISPLAY is not set; say x11://:N");
    auto named = x11_options_from("x11://" + std::string(from_environment));
    if (!named) return fail(errc::invalid_input, who, "DISPLAY does not name a local display", named.error());
    name_ = named->display;
  }
  int screen_number = 0;
  connection_ = xcb_connect(name_.c_str(), &screen_number);
  switch (xcb_connection_has_error(connection_)) {
    case 0: break;
    case XCB_CONN_CLOSED_PARSE_ERR: return fail(errc::invalid_input, who, "'" + name_ + "' is no display name; say :N");
    case XCB_CONN_CLOSED_INVALID_SCREEN: return fail(errc::not_found, who, "the display has no screen " + name_);
    default:
      return fail(errc::unreachable, who,
                  "the display " + name_ + " is not running, or does not let this user in (see XAUTHORITY)");
  }
  auto screens = xcb_setup_roots_iterator(xcb_get_setup(connection_));
  while (screen_number-- > 0 && screens.rem > 1) xcb_screen_next(&screens);
  if (!screens.rem) return fail(errc::protocol_violation, who, "the display " + name_ + " has no screen");
  const auto& screen = *screens.data;
  root_ = screen.root;
  if (auto checked = check_pixel_format(screen); !checked) return checked;
  if (auto checked = check_extensions(); !checked) return checked;

  // RandR tells every client of a new size by ConfigureNotify of the root window.
  std::uint32_t mask = XCB_EVENT_MASK_STRUCTURE_NOTIFY;
  xcb_change_window_attributes(connection_, root_, XCB_CW_EVENT_MASK, &mask);
  if (with_cursor_) xcb_xfixes_select_cursor_input(connection_, root_, XCB_XFIXES_CURSOR_NOTIFY_MASK_DISPLAY_CURSOR);
  damage_ = xcb_generate_id(connection_);
  xcb_damage_create(connection_, damage_, root_, XCB_DAMAGE_REPORT_LEVEL_NON_EMPTY);
  region_ = xcb_generate_id(connection_);
  xcb_xfixes_create_region(connection_, region_, 0, nullptr);

  auto size = answer<xcb_get_geometry_reply_t>(xcb_get_geometry(connection_, root_).sequence, "its size");
  if (!size) return pass_on(std::move(size));
  if (auto resized = resize({(*size)->width, (*size)->height}); !resized) return resized;
  cursor_changed_ = with_cursor_;
  if (auto looked = look_at_pointer(); !looked) return looked;
  events_.push_back(event("connected"));
  return {};
}

source_event x11_source::session::event(const char* kind) const {
  nlohmann::json detail{{"display", name_}, {"width", picture_size_.width}, {"height", picture_size_.height}};
  return {now_us(), kind, detail.dump()};
}

// --- memory ------------------------------------------------------------------------------------------------------

outcome<shared_memory> x11_source::session::share(std::size_t size_bytes) {
  auto descriptor = ::memfd_create("lucid-x11", MFD_CLOEXEC);
  if (descriptor < 0 || ::ftruncate(descriptor, static_cast<off_t>(size_bytes)) != 0) {
    auto why = std::string(std::strerror(errno));
    if (descriptor >= 0) ::close(descriptor);
    return fail(errc::io_failed, who, "no memory to share with the display: " + why);
  }
  auto* bytes = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (bytes == MAP_FAILED) {
    ::close(descriptor);
    return fail(errc::io_failed, who, std::string("mmap: ") + std::strerror(errno));
  }
  shared_memory memory{static_cast<std::uint8_t*>(bytes), size_bytes, xcb_generate_id(connection_)};
  // xcb closes the descriptor once it is sent.
  auto attached = xcb_shm_attach_fd_checked(connection_, memory.id, descriptor, 0);
  auto later = answer<xcb_get_input_focus_reply_t>(xcb_get_input_focus(connection_).sequence, "to share memory");
  auto* refusal = later ? xcb_request_check(connection_, attached) : nullptr; // Known by now, so it does not wait.
  if (later && !refusal) return memory;
  std::free(refusal);
  ::munmap(bytes, size_bytes);
  if (!later) return pass_on(std::move(later));
  return fail(errc::unsupported, who, "the display " + name_ + " does not share memory with this process");
}

void x11_source::session::release(shared_memory& memory) noexcept {
  if (!memory.bytes) return;
  if (connection_ && !xcb_connection_has_error(connection_)) xcb_shm_detach(connection_, memory.id);
  ::munmap(memory.bytes, memory.size_bytes);
  memory = {};
}

outcome<void> x11_source::session::resize(geometry size) {
  if (size.width < picture_side_min || size.height < picture_side_min || size.width > picture_side_max ||
      size.height > picture_side_max)
    return fail(errc::limit_exceeded, who, "the display " + name_ + " has " + std::to_string(size.width) + " by " +
                                             std::to_string(size.height) + " pixels; 16 to 8192 a side can be recorded");
  release(picture_);
  release(part_);
  overlay_.forget();
  auto size_bytes = std::size_t{size.width} * size.height * 4; // 256 MiB at 8192 by 8192, pages taken when used.
  auto picture = share(size_bytes);
  if (!picture) return pass_on(std::move(picture));
  picture_ = *picture;
  auto part = share(size_bytes);
  if (!part) return pass_on(std::move(part));
  part_ = *part;
  root_size_ = size;
  picture_size_ = {size.width & ~1u, size.height & ~1u};
  all_damaged_ = damaged_ = true;
  return {};
}

// --- what changes ------------------------------------------------------------------------------------------------

void x11_source::session::read_events() {
  while (auto* raw = xcb_poll_for_event(connection_)) {
    xcb_ptr<xcb_generic_event_t> received(raw);
    auto type = static_cast<std::uint8_t>(received->response_type & 0x7f);
    if (type == damage_event_) {
      damaged_ = true;
    } else if (type == cursor_event_) {
      cursor_changed_ = with_cursor_;
    } else if (type == XCB_CONFIGURE_NOTIFY) {
      const auto* configured = reinterpret_cast<const xcb_configure_notify_event_t*>(raw);
      if (configured->window == root_ &&
          (configured->width != root_size_.width || configured->height != root_size_.height))
        new_size_ = geometry{configured->width, configured->height};
    }
  }
}

outcome<void> x11_source::session::look_at_pointer() {
  if (!with_cursor_) return {};
  auto pointer = answer<xcb_query_pointer_reply_t>(xcb_query_pointer(connection_, root_).sequence, "the mouse's place");
  if (!pointer) return pass_on(std::move(pointer));
  pointer_looked_ = clock::now();
  // On another screen it is nowhere on this one.
  std::int32_t x = (*pointer)->same_screen ? (*pointer)->root_x : -4096;
  std::int32_t y = (*pointer)->same_screen ? (*pointer)->root_y : -4096;
  if (x == pointer_x_ && y == pointer_y_) return {};
  pointer_x_ = x, pointer_y_ = y;
  pointer_moved_ = true;
  pointer_moved_at_ = pointer_looked_;
  return {};
}

outcome<void> x11_source::session::read_cursor_image() {
  auto image = answer<xcb_xfixes_get_cursor_image_reply_t>(xcb_xfixes_get_cursor_image(connection_).sequence, "its cursor");
  if (!image) {
    if (image.error().code != errc::refused) return pass_on(std::move(image));
    cursor_ = {}; // There is none, which is no reason to stop.
    return {};
  }
  const auto& reply = **image;
  auto pixel_count = static_cast<std::size_t>(xcb_xfixes_get_cursor_image_cursor_image_length(&reply));
  if (reply.width > cursor_image::side_max || reply.height > cursor_image::side_max ||
      pixel_count != std::size_t{reply.width} * reply.height) {
    cursor_ = {};
    return {};
  }
  const auto* pixels = xcb_xfixes_get_cursor_image_cursor_image(&reply);
  cursor_ = {reply.width, reply.height, reply.xhot, reply.yhot, {pixels, pixels + pixel_count}};
  return {};
}

outcome<void> x11_source::session::wait_for_change(std::chrono::milliseconds patience) {
  auto deadline = clock::now() + patience;
  for (;;) {
    read_events();
    if (xcb_connection_has_error(connection_)) return tl::unexpected(gone());
    auto now = clock::now();
    auto look_every = now - pointer_moved_at_ < pointer_moving_time ? pointer_look_moving : pointer_look_still;
    auto look_at = with_cursor_ ? pointer_looked_ + look_every : clock::time_point::max();
    if (!changed() && now >= look_at) {
      if (auto looked = look_at_pointer(); !looked) return looked;
      continue;
    }
    if (changed() || now >= deadline) return {};
    xcb_flush(connection_);
    auto time = std::chrono::ceil<std::chrono::milliseconds>(std::min(deadline, look_at) - now);
    if (auto polled = poll_connection(time); !polled) return polled;
  }
}

// --- the picture -------------------------------------------------------------------------------------------------

/// Takes the damage from the server: what changes after this is damage anew.
outcome<std::vector<damage_rect>> x11_source::session::take_damage() {
  std::vector<damage_rect> areas;
  if (!damaged_) return areas;
  damaged_ = false;
  xcb_damage_subtract(connection_, damage_, XCB_NONE, region_);
  auto fetched = answer<xcb_xfixes_fetch_region_reply_t>(xcb_xfixes_fetch_region(connection_, region_).sequence, "its damage");
  if (!fetched) return pass_on(std::move(fetched));
  if (std::exchange(all_damaged_, false)) {
    areas.push_back({0, 0, picture_size_.width, picture_size_.height});
    return areas;
  }
  const auto* rectangles = xcb_xfixes_fetch_region_rectangles(fetched->get());
  auto count = xcb_xfixes_fetch_region_rectangles_length(fetched->get());
  areas.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    if (auto area = clipped(rectangles[i].x, rectangles[i].y, rectangles[i].width, rectangles[i].height,
                            picture_size_.width, picture_size_.height))
      areas.push_back(*area);
  merge_damage(areas);
  return areas;
}

/// Reads `areas` into the picture. False when the display has changed its size meanwhile.
outcome<bool> x11_source::session::capture(const std::vector<damage_rect>& areas) {
  // A wide area is read in whole rows, straight into the picture. A narrow one is read into `part_` and copied, which
  // pays as long as both together move fewer bytes than the whole rows. All are asked for before any is awaited.
  struct under_way {
    damage_rect area;
    std::size_t part_at; ///< Where in `part_`; `whole_rows` when it goes straight into the picture.
    unsigned sequence;
  };
  constexpr auto whole_rows = ~std::size_t{0};
  std::vector<under_way> reads;
  reads.reserve(areas.size());
  std::size_t part_used = 0;
  for (const auto& area : areas) {
    auto area_bytes = static_cast<std::size_t>(area_pixels(area)) * 4;
    bool narrow = area.width * 2 < root_size_.width && part_used + area_bytes <= part_.size_bytes;
    auto width = narrow ? area.width : root_size_.width;
    auto offset = narrow ? part_used : area.y * stride_bytes();
    auto sequence =
      xcb_shm_get_image(connection_, root_, static_cast<std::int16_t>(narrow ? area.x : 0),
                        static_cast<std::int16_t>(area.y), static_cast<std::uint16_t>(width),
                        static_cast<std::uint16_t>(area.height), ~0u, XCB_IMAGE_FORMAT_Z_PIXMAP,
                        narrow ? part_.id : picture_.id, static_cast<std::uint32_t>(offset))
        .sequence;
    reads.push_back({area, narrow ? part_used : whole_rows, sequence});
    if (narrow) part_used += area_bytes;
  }
  bool complete = true;
  for (const auto& read : reads) {
    auto image = answer<xcb_shm_get_image_reply_t>(read.sequence, "a part of its picture");
    if (!image && image.error().code != errc::refused) return pass_on(std::move(image));
    if (!image) complete = false;
    if (!image || read.part_at == whole_rows) continue;
    auto row_bytes = read.area.width * std::size_t{4};
    for (std::uint32_t row = 0; row < read.area.height; ++row)
      std::memcpy(picture_.bytes + (read.area.y + row) * stride_bytes() + read.area.x * std::size_t{4},
                  part_.bytes + read.part_at + row * row_bytes, row_bytes);
  }
  return complete;
}

/// Draws the cursor where it is now; answers what that may have changed.
std::vector<damage_rect> x11_source::session::draw_cursor() {
  std::vector<damage_rect> areas;
  if (!with_cursor_) return areas;
  if (overlay_.where()) areas.push_back(*overlay_.where());
  overlay_.draw(picture_.bytes, stride_bytes(), picture_size_.width, picture_size_.height, cursor_, pointer_x_, pointer_y_);
  if (overlay_.where()) areas.push_back(*overlay_.where());
  return areas;
}

outcome<source_poll> x11_source::session::next(std::chrono::milliseconds patience) {
  if (auto waited = wait_for_change(patience); !waited) return pass_on(std::move(waited));
  source_poll result;
  if (new_size_) {
    if (auto resized = resize(*std::exchange(new_size_, {})); !resized) return pass_on(std::move(resized));
    events_.push_back(event("resized"));
  }
  result.events = std::exchange(events_, {});
  if (!changed()) return result;

  auto areas = take_damage();
  if (!areas) return pass_on(std::move(areas));
  if (auto looked = look_at_pointer(); !looked) return pass_on(std::move(looked));
  if (std::exchange(cursor_changed_, false)) {
    if (auto image = read_cursor_image(); !image) return pass_on(std::move(image));
    pointer_moved_ = true; // It looks different where it is.
  }
  auto cursor_was = overlay_.where();
  if (!areas->empty()) {
    overlay_.take_out(picture_.bytes, stride_bytes());
    auto captured = capture(*areas);
    if (!captured) return pass_on(std::move(captured));
    // The display shrank meanwhile: its ConfigureNotify is on the way, and all is read again after it.
    if (!*captured) {
      all_damaged_ = damaged_ = true;
      return result;
    }
  }
  if (std::exchange(pointer_moved_, false)) {
    if (cursor_was) areas->push_back(*cursor_was);
    for (const auto& area : draw_cursor()) areas->push_back(area);
    merge_damage(*areas);
  } else if (!overlay_.where()) {
    draw_cursor(); // Nothing new: it goes back on top of what was read.
  }
  if (areas->empty()) return result;
  delivered_ = std::move(*areas);
  result.frame = frame_view{picture_.bytes, static_cast<std::uint32_t>(stride_bytes()), picture_size_.width,
                            picture_size_.height, now_us(), delivered_};
  return result;
}

// --- the port ----------------------------------------------------------------------------------------------------

x11_source::x11_source(x11_options options) : options_(std::move(options)) {}
x11_source::~x11_source() = default;

outcome<void> x11_source::open() {
  session_.reset();
  auto opened = std::make_unique<session>(options_);
  if (auto connected = opened->connect(); !connected) return connected;
  session_ = std::move(opened);
  return {};
}

outcome<source_poll> x11_source::next(std::chrono::milliseconds patience) {
  if (!session_) return fail(errc::wrong_state, who, "the display is not open");
  auto result = session_->next(patience);
  if (!result) close();
  return result;
}

void x11_source::close() noexcept { session_.reset(); }

} // namespace lucid
