// adapters/process/sandbox.cpp - no_new_privs, resource limits, Landlock and seccomp.
#include "adapters/process/sandbox.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/landlock.h>
#include <memory>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lucid {
namespace {

constexpr const char* who = "sandbox";

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool instrumented = true;
#else
constexpr bool instrumented = false;
#endif

// --- limits ------------------------------------------------------------------------------------------------------

bool limit(__rlimit_resource_t what, std::uint64_t most) {
  rlimit wanted{most, most}, present{};
  if (::getrlimit(what, &present) != 0) return false;
  if (present.rlim_max < most) wanted.rlim_cur = wanted.rlim_max = present.rlim_max;
  return ::setrlimit(what, &wanted) == 0;
}

bool set_limits(const sandbox_needs& needs) {
  // Sanitizers reserve memory by the terabyte.
  auto memory = instrumented || limit(RLIMIT_DATA, needs.memory_size_bytes_max);
  // No file can be written, whatever descriptor it gets hold of; sockets and pipes are not meant by it. A live source
  // shares memory with its server, which counts as a file.
  auto files = needs.network || limit(RLIMIT_FSIZE, 0);
  return limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, needs.open_file_count_max) && files && memory;
}

// --- paths -------------------------------------------------------------------------------------------------------

constexpr std::uint64_t read_rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t write_rights =
  LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
  LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
  LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
  LANDLOCK_ACCESS_FS_MAKE_SYM;

/// What name resolution, TLS and X11 read.
constexpr std::array<const char*, 8> system_paths{"/etc", "/usr", "/lib", "/lib64", "/proc", "/sys", "/run/systemd/resolve",
                                                  "/tmp/.X11-unix"};

void allow_path(int ruleset, const std::string& path, std::uint64_t rights) {
  auto fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) return; // What is not there needs no permission.
  struct stat about{};
  // A file has no rights of a folder.
  if (::fstat(fd, &about) == 0 && !S_ISDIR(about.st_mode))
    rights &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  rule.parent_fd = fd;
  ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  ::close(fd);
}

bool confine_paths(const sandbox_needs& needs) {
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = read_rights | write_rights | LANDLOCK_ACCESS_FS_EXECUTE;
  // The size of its first version: what older kernels know.
  auto ruleset = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof(std::uint64_t), 0));
  if (ruleset < 0) return false;
  if (needs.network)
    for (const auto* path : system_paths) allow_path(ruleset, path, read_rights);
  for (const auto* path : {"/dev/urandom", "/dev/random", "/dev/null", "/dev/zero"})
    allow_path(ruleset, path, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
  if (needs.devices) allow_path(ruleset, "/dev", read_rights | LANDLOCK_ACCESS_FS_WRITE_FILE);
  if (needs.devices) allow_path(ruleset, "/sys", read_rights);
  for (const auto& path : needs.read_paths) allow_path(ruleset, path, read_rights);
  auto confined = ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
  ::close(ruleset);
  return confined;
}

// --- calls -------------------------------------------------------------------------------------------------------

/// Nobody who decodes video or speaks RDP needs these; each widens what a taken-over worker could do.
constexpr std::array denied_calls{
  "execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_open",
  "pidfd_getfd", "pidfd_send_signal", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "mount", "umount2",
  "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
  "unshare", "setns", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
  "keyctl", "add_key", "request_key", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load",
  "reboot", "swapon", "swapoff", "acct", "quotactl", "syslog", "settimeofday", "clock_settime", "clock_adjtime",
  "adjtimex", "sethostname", "setdomainname", "iopl", "ioperm", "modify_ldt", "personality", "open_by_handle_at",
  "name_to_handle_at", "fanotify_init", "inotify_init", "inotify_init1", "mknod", "mknodat", "link", "linkat", "symlink",
  "symlinkat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "truncate", "chmod",
  "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "setxattr", "lsetxattr", "fsetxattr", "setuid", "setgid",
  "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "capset", "listen", "accept", "accept4"};

/// For a worker that has all it needs already.
constexpr std::array sealed_calls{"open", "openat", "openat2", "creat", "socket", "connect", "bind"};

struct filter_deleter {
  void operator()(void* filter) const noexcept { seccomp_release(filter); }
};
using filter_ptr = std::unique_ptr<void, filter_deleter>;

/// Denied calls answer EPERM, so that libraries take their ways around. A name this kernel does not have is no loss.
template <std::size_t N>
bool deny(void* filter, const std::array<const char*, N>& names) {
  for (const auto* name : names) {
    auto number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0) continue;
    if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0) != 0) return false;
  }
  return true;
}

bool confine_calls(const sandbox_needs& needs) {
  filter_ptr filter(seccomp_init(SCMP_ACT_ALLOW));
  if (!filter || !deny(filter.get(), denied_calls)) return false;
  if (!needs.network && !needs.devices && !deny(filter.get(), sealed_calls)) return false;
  // Threads, but no processes. glibc falls back from clone3, whose flags a filter cannot see, to clone.
  if (seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                       SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) != 0 ||
      seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) != 0)
    return false;
  // Signals only to itself.
  if (seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill), 1,
                       SCMP_A0(SCMP_CMP_NE, static_cast<scmp_datum_t>(::getpid()))) != 0)
    return false;
  return seccomp_load(filter.get()) == 0;
}

void note_missing(std::string& missing, bool done, const char* what) {
  if (!done) missing.append(missing.empty() ? "" : ", ").append(what);
}

} // namespace

outcome<sandbox_report> enter_sandbox(const sandbox_needs& needs) {
  sandbox_report report;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail(errc::missing_dependency, who, std::string("privileges cannot be given up: ") + std::strerror(errno));
  report.no_new_privileges = true;
  // No other process of the same user may look into this one: it holds a password.
  if (!instrumented) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  report.limits = set_limits(needs);
  report.paths = confine_paths(needs);
  report.calls = confine_calls(needs);
  note_missing(report.missing, report.limits, "resource limits");
  note_missing(report.missing, report.paths, "Landlock");
  note_missing(report.missing, report.calls, "seccomp");
  return report;
}

void close_descriptors_above(int highest_kept) noexcept {
  if (::syscall(SYS_close_range, static_cast<unsigned>(highest_kept) + 1, ~0u, 0) == 0) return;
  auto most = static_cast<int>(::sysconf(_SC_OPEN_MAX));
  for (auto fd = highest_kept + 1; fd < most; ++fd) ::close(fd);
}

} // namespace lucid
