// actors/node/cli/output_file.cpp - temporary file, sync, rename.
#include "actors/node/cli/output_file.hpp"

#include <fmt/format.h>
#include <utility>

#include <fmt/core.h>
#include <unistd.h>

#include "adapters/files/atomic_write.hpp"

namespace lucid {
namespace {

tl::unexpected<error> already_there(const std::filesystem::path& file) {
  return fail(errc::already_exists, "output", file.string() + " is there already; --force replaces it");
}

bool is_there(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(file, ignored));
}

} // namespace

outcome<output_file> output_file::begin(const std::filesystem::path& final_path, bool force) {
  std::error_code problem;
  auto path = std::filesystem::absolute(final_path, problem);
  if (problem || !path.has_filename())
    return fail(errc::invalid_input, "output", fmt::format("\"{}\" is no name of a file", final_path.string()));
  if (std::filesystem::is_directory(path, problem))
    return fail(errc::invalid_input, "output", path.string() + " is a folder; name a file in it");
  if (!std::filesystem::is_directory(path.parent_path(), problem))
    return fail(errc::not_found, "output", "there is no folder " + path.parent_path().string() + " to write to");
  if (!force && is_there(path)) return already_there(path);
  auto name = fmt::format(".{}.{}{}", path.filename().string(), ::getpid(), part_suffix);
  auto temporary = path.parent_path() / name;
  output_file made(path, temporary, force);
  auto file = made.files_.open(temporary, open_mode::fresh);
  if (!file) return pass_on(std::move(file));
  return made;
}

output_file::output_file(output_file&& other) noexcept
  : final_(std::move(other.final_)), temporary_(std::exchange(other.temporary_, {})), force_(other.force_) {}

output_file::~output_file() {
  if (!temporary_.empty()) (void)files_.remove(temporary_);
}

outcome<void> output_file::append(byte_view bytes) {
  auto file = files_.open(temporary_, open_mode::extend);
  if (!file) return pass_on(std::move(file));
  return (*file)->append(bytes);
}

outcome<void> output_file::keep() {
  auto file = files_.open(temporary_, open_mode::extend);
  if (!file) return pass_on(std::move(file));
  if (auto synced = (*file)->sync(); !synced) return synced;
  if (!force_ && is_there(final_)) return already_there(final_); // Somebody else was quicker.
  if (auto renamed = files_.rename(temporary_, final_); !renamed) return renamed;
  temporary_.clear();
  return files_.sync_folder(final_.parent_path());
}

} // namespace lucid
