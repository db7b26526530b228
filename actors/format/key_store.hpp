// actors/format/key_store.hpp - the folder of key files of a node or a person.
#pragma once

#include "actors/format/key_file.hpp"
#include "messages/ports/file_system.hpp"

namespace lucid {

/// One file `NAME.key` a key (mode 0600, folder 0700, as the file system port makes them), written whole or not at all.
/// A key is never overwritten but by `rotate`. Threads: one at a time. Errors: those of key_file.hpp and of the file system.
class key_store {
public:
  key_store(file_system& files, file_system::path folder) : files_(files), folder_(std::move(folder)) {}

  /// Makes a key and writes it. Errors: `already_exists`.
  outcome<public_identity> create(key_kind kind, const std::string& name, const key_protection& protection,
                                  unix_time_us created_us, random_port& random);

  /// A new key takes the name; the one that had it is kept as `previous_name`, whose own key is gone then. Both are under
  /// `protection`, which must open the present one. Whenever it is interrupted, `name` is the old key or the new one, and
  /// the old one is not lost. Errors: `not_found`; `wrong_key`.
  outcome<public_identity> rotate(const std::string& name, const std::string& previous_name,
                                  const key_protection& protection, unix_time_us created_us, random_port& random);

  /// Removes a key for good; harmless if there is none.
  outcome<void> remove(const std::string& name);

  outcome<identity> load(const std::string& name, std::string_view passphrase);
  outcome<public_identity> show(const std::string& name);
  /// By name. The first file that cannot be read is the error: a key nobody sees is a key nobody misses.
  outcome<std::vector<public_identity>> list();

private:
  outcome<void> write(const std::string& name, const identity& key, const key_protection& protection, random_port& random);
  outcome<std::string> read(const std::string& name);
  file_system::path file_of(const std::string& name) const { return folder_ / (name + ".key"); }

  file_system& files_;
  file_system::path folder_;
};

} // namespace lucid
