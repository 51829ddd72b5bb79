/* A system that fails on demand, for the program as it is:  LD_PRELOAD=libip_faults.so infoplane ...

     IP_FAULT_KIND   file    calls of anybody on files whose name contains IP_FAULT_MATCH
                     hdf5    calls of HDF5 by the program itself
                     memory  allocations by the program, libyaml, zlib and xxHash
     IP_FAULT_N      the number of the call that fails, from 1; 0: none, they are only counted
     IP_FAULT_MODE   of kind file: an errno by name (ENOSPC EIO EDQUOT EINTR), short: half of the
                     bytes are moved, full: ENOSPC from this call on
     IP_FAULT_RANK   only this rank of mpirun
     IP_FAULT_LOG    file that learns of it: "hit CALL NUMBER" at once, "calls NUMBER" at the end
     IP_FAULT_SERVE  a fifo: the program is loaded once, and runs for every line "N FOLDER" that comes
                     there as a copy of that moment (most of a start is the loader at work): in FOLDER,
                     with its call N at fault, the files out, err and log, and its exit code, or 124
                     after a minute, to FOLDER/code, a fifo.  A line "end" ends it.

   Which calls count depends on the mode: only writing needs room, only transfers can be short. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXPORT   __attribute__((visibility("default")))
#define CALLER() ((uintptr_t)__builtin_return_address(0))

typedef enum { NOTHING, FILES, HDF5, MEMORY } fault_kind;
typedef enum { OPENS, READS, WRITES, ALLOCATES, SYNCS, NAMES } file_call;
enum { SHORT = -1, MOST_RANGES = 16 };

typedef struct {
  uintptr_t low, high;
} range;

static struct {
  fault_kind kind;
  long n, calls;
  int mode; /* errno or SHORT */
  bool lasts;
  const char *match, *log;
  range of_program[MOST_RANGES], of_libraries[MOST_RANGES];
  int n_program, n_libraries;
} fault;

/* ---- set up -------------------------------------------------------------------------------- */

static void note(const char *what, const char *call, long number)
{
  char line[128];
  const int length =
      snprintf(line, sizeof line, "%s %s%s%ld\n", what, call, *call ? " " : "", number);
  const long fd = fault.log ? syscall(SYS_openat, AT_FDCWD, fault.log,
                                      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)
                            : -1;

  if (fd < 0) return;
  (void)syscall(SYS_write, fd, line, (size_t)length);
  (void)syscall(SYS_close, fd);
}

static int find_ranges(struct dl_phdr_info *info, size_t size, void *first)
{
  static const char *const library[] = {"libyaml", "libz.", "libxxhash"};
  bool *program = first, wanted = *program;

  (void)size;
  for (size_t i = 0; i < sizeof library / sizeof library[0]; i++)
    wanted = wanted || strstr(info->dlpi_name, library[i]);
  for (int i = 0; wanted && i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    const range r = {info->dlpi_addr + part->p_vaddr,
                     info->dlpi_addr + part->p_vaddr + part->p_memsz};

    if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
    if (*program && fault.n_program < MOST_RANGES) fault.of_program[fault.n_program++] = r;
    if (!*program && fault.n_libraries < MOST_RANGES)
      fault.of_libraries[fault.n_libraries++] = r;
  }
  *program = false; /* the program itself comes first */
  return 0;
}

static int mode_of(const char *name)
{
  static const struct {
    const char *name;
    int mode;
  } row[] = {
      {"ENOSPC", ENOSPC},
      {"EIO",    EIO   },
      {"EDQUOT", EDQUOT},
      {"EINTR",  EINTR },
      {"short",  SHORT },
      {"full",   ENOSPC},
  };

  for (size_t i = 0; name && i < sizeof row / sizeof row[0]; i++)
    if (strcmp(name, row[i].name) == 0) return row[i].mode;
  return EIO;
}

/* ---- many from one that is loaded ------------------------------------------------------------ */

/* The next line, without its end; false: there is none. */
static bool next_line(int fd, size_t size, char line[])
{
  for (size_t i = 0; i < size; i++) {
    if (read(fd, line + i, 1) != 1) return false;
    if (line[i] != '\n') continue;
    line[i] = '\0';
    return true;
  }
  return false;
}

static void become(const char *name, int flags, int fd)
{
  const int file = open(name, flags | O_CLOEXEC, 0666);

  if (file < 0 || dup2(file, fd) < 0) _exit(125);
}

/* Exit code of the child as the shell names it; 124: it took longer than a minute. */
static int wait_a_minute(pid_t child)
{
  const struct timespec pause = {.tv_nsec = 5000000};
  const time_t begun = time(NULL);
  int status = 0;

  while (waitpid(child, &status, WNOHANG) == 0) {
    if (time(NULL) - begun > 60) {
      (void)kill(child, SIGKILL);
      (void)waitpid(child, &status, 0);
      return 124;
    }
    (void)nanosleep(&pause, NULL);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* In a process of its own: returns in the copy that is to run, and ends with it. */
static void attend(long n, const char *folder)
{
  static char log[4096];

  (void)signal(SIGCHLD, SIG_DFL);
  if (chdir(folder) != 0) _exit(125);
  const pid_t child = fork();

  if (child > 0) {
    const int code = wait_a_minute(child), fd = open("code", O_WRONLY | O_CLOEXEC);

    dprintf(fd, "%d\n", code);
    _exit(0);
  }
  become("/dev/null", O_RDONLY, STDIN_FILENO);
  become("out", O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
  become("err", O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
  snprintf(log, sizeof log, "%s/log", folder);
  (void)setenv("OMPI_MCA_orte_tmpdir_base", folder, 1); /* of its own: see fault.sh */
  fault.n = n;
  fault.log = log;
}

/* Returns in the copies. */
static void serve(const char *fifo)
{
  const int fd = open(fifo, O_RDWR | O_CLOEXEC); /* one end more: never at its end */
  char line[4096], *folder;

  if (fd < 0) _exit(125);
  (void)signal(SIGCHLD, SIG_IGN);
  while (next_line(fd, sizeof line, line) && strcmp(line, "end") != 0) {
    const long n = strtol(line, &folder, 10);

    if (fork() != 0) continue;
    (void)close(fd);
    attend(n, folder + 1);
    return;
  }
  _exit(0);
}

static void __attribute__((constructor)) begin(void)
{
  const char *kind = getenv("IP_FAULT_KIND"), *mode = getenv("IP_FAULT_MODE"),
             *n = getenv("IP_FAULT_N"), *wanted = getenv("IP_FAULT_RANK"),
             *rank = getenv("OMPI_COMM_WORLD_RANK"), *serving = getenv("IP_FAULT_SERVE");
  bool first = true;
  fault_kind found = NOTHING;

  if (!kind || (wanted && *wanted && strcmp(wanted, rank ? rank : "0") != 0)) return;
  if (strcmp(program_invocation_short_name, "infoplane") != 0)
    return; /* mpirun, its children */
  if (strcmp(kind, "file") == 0) found = FILES;
  if (strcmp(kind, "hdf5") == 0) found = HDF5;
  if (strcmp(kind, "memory") == 0) found = MEMORY;
  fault.match = getenv("IP_FAULT_MATCH");
  fault.log = getenv("IP_FAULT_LOG");
  fault.n = n ? strtol(n, NULL, 10) : 0;
  fault.mode = mode_of(mode);
  fault.lasts = mode && strcmp(mode, "full") == 0;
  dl_iterate_phdr(find_ranges, &first);
  if (serving) serve(serving);
  fault.kind = found;
}

static void __attribute__((destructor)) end(void)
{
  if (fault.kind != NOTHING) note("calls", "", fault.calls);
}

/* One more call that counts; true: it is to fail. */
static bool hit(const char *call)
{
  const long number = __atomic_add_fetch(&fault.calls, 1, __ATOMIC_RELAXED);

  if (fault.n == 0 || number < fault.n || (number > fault.n && !fault.lasts)) return false;
  if (number == fault.n || getenv("IP_FAULT_ALL")) note("hit", call, number);
  return true;
}

static bool within(uintptr_t at, int n, const range r[])
{
  for (int i = 0; i < n; i++)
    if (at >= r[i].low && at < r[i].high) return true;
  return false;
}

/* ---- files --------------------------------------------------------------------------------- */

static bool concerns(file_call call)
{
  switch (fault.mode) {
  case SHORT:
    return call == READS || call == WRITES;
  case EINTR:
    return call != NAMES;
  case EIO:
    return true;
  default:
    return call == WRITES || call == ALLOCATES || call == SYNCS || call == NAMES;
  }
}

static bool path_fails(const char *name, file_call call, const char *path)
{
  if (fault.kind != FILES || !concerns(call) || !path || !fault.match ||
      !strstr(path, fault.match) || !hit(name))
    return false;
  errno = fault.mode;
  return true;
}

static bool fd_concerns(file_call call, int fd)
{
  char link_[64], path[4096];

  if (fault.kind != FILES || !concerns(call) || !fault.match) return false;
  snprintf(link_, sizeof link_, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link_, path, sizeof path - 1);

  if (n < 0) return false;
  path[n] = '\0';
  return strstr(path, fault.match) != NULL;
}

static bool fd_fails(const char *name, file_call call, int fd)
{
  if (!fd_concerns(call, fd) || !hit(name)) return false;
  errno = fault.mode;
  return true;
}

/* -1: the transfer fails; else how many bytes to move. */
static ssize_t moved(const char *name, file_call call, int fd, size_t n)
{
  if (fault.kind != FILES || n < 2 || !fd_concerns(call, fd) || !hit(name)) return (ssize_t)n;
  if (fault.mode == SHORT) return (ssize_t)(n / 2);
  errno = fault.mode;
  return -1;
}

/* Functions of others, with their many parameters and other names for them. */
/* NOLINTBEGIN(readability-function-size,readability-inconsistent-declaration-parameter-name) */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                                                             \
  EXPORT int name(const char *path, int flags, ...)                                            \
  {                                                                                            \
    va_list list;                                                                              \
                                                                                               \
    va_start(list, flags);                                                                     \
    const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;              \
    va_end(list);                                                                              \
    if (path_fails(#name, flags & O_CREAT ? ALLOCATES : OPENS, path)) return -1;               \
    return NEXT(name)(path, flags, mode);                                                      \
  }
#define TRANSFER(name, call, type)                                                             \
  EXPORT ssize_t name(int fd, type *bytes, size_t n, off_t at)                                 \
  {                                                                                            \
    const ssize_t some = moved(#name, call, fd, n);                                            \
                                                                                               \
    return some < 0 ? -1 : NEXT(name)(fd, bytes, (size_t)some, at);                            \
  }
#define STREAM(name, call, type)                                                               \
  EXPORT ssize_t name(int fd, type *bytes, size_t n)                                           \
  {                                                                                            \
    const ssize_t some = moved(#name, call, fd, n);                                            \
                                                                                               \
    return some < 0 ? -1 : NEXT(name)(fd, bytes, (size_t)some);                                \
  }
#define ON_FD(name, call, parameters, arguments)                                               \
  EXPORT int name parameters                                                                   \
  {                                                                                            \
    return fd_fails(#name, call, fd) ? -1 : NEXT(name) arguments;                              \
  }
#define ON_NAMES(name, parameters, arguments)                                                  \
  EXPORT int name parameters                                                                   \
  {                                                                                            \
    return path_fails(#name, NAMES, to) ? -1 : NEXT(name) arguments;                           \
  }

OPEN(open)
OPEN(open64)
TRANSFER(pread, READS, void)
TRANSFER(pread64, READS, void)
TRANSFER(pwrite, WRITES, const void)
TRANSFER(pwrite64, WRITES, const void)
STREAM(read, READS, void)
STREAM(write, WRITES, const void)
ON_FD(fsync, SYNCS, (int fd), (fd))
ON_FD(fdatasync, SYNCS, (int fd), (fd))
ON_FD(ftruncate, ALLOCATES, (int fd, off_t n), (fd, n))
ON_FD(ftruncate64, ALLOCATES, (int fd, off64_t n), (fd, n))
ON_FD(fallocate, ALLOCATES, (int fd, int how, off_t at, off_t n), (fd, how, at, n))
ON_FD(fallocate64, ALLOCATES, (int fd, int how, off64_t at, off64_t n), (fd, how, at, n))
ON_NAMES(rename, (const char *from, const char *to), (from, to))
ON_NAMES(link, (const char *from, const char *to), (from, to))
ON_NAMES(renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
         (a, from, b, to, flags))

/* ---- memory -------------------------------------------------------------------------------- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *room, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static bool runs_out(const char *call, uintptr_t caller)
{
  if (fault.kind != MEMORY) return false;
  if (!within(caller, fault.n_program, fault.of_program) &&
      !within(caller, fault.n_libraries, fault.of_libraries))
    return false;
  if (!hit(call)) return false;
  errno = ENOMEM;
  return true;
}

EXPORT void *malloc(size_t size)
{
  return runs_out("malloc", CALLER()) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t n, size_t size)
{
  return runs_out("calloc", CALLER()) ? NULL : __libc_calloc(n, size);
}

EXPORT void *realloc(void *room, size_t size)
{
  return runs_out("realloc", CALLER()) ? NULL : __libc_realloc(room, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
  return runs_out("aligned_alloc", CALLER()) ? NULL : __libc_memalign(alignment, size);
}

/* ---- HDF5 ---------------------------------------------------------------------------------- */

static bool hdf5_fails(const char *call, uintptr_t caller)
{
  return fault.kind == HDF5 && within(caller, fault.n_program, fault.of_program) && hit(call);
}

/* Whole numbers and pointers alone, eight at most: passed on as they come, whatever their types. */
#define CALL(name, answer)                                                                     \
  EXPORT long name(long a, long b, long c, long d, long e, long f, long g, long h);            \
  EXPORT long name(long a, long b, long c, long d, long e, long f, long g, long h)             \
  {                                                                                            \
    return hdf5_fails(#name, CALLER()) ? (answer) : NEXT(name)(a, b, c, d, e, f, g, h);        \
  }
/* clang-format off */
CALL(H5Acreate2, -1) CALL(H5Aget_space, -1) CALL(H5Aget_type, -1) CALL(H5Aopen, -1)
CALL(H5Aread, -1) CALL(H5Awrite, -1) CALL(H5DSattach_scale, -1) CALL(H5DSset_scale, -1)
CALL(H5Dclose, -1) CALL(H5Dcreate2, -1) CALL(H5Dget_space, -1) CALL(H5Dget_storage_size, 0)
CALL(H5Dget_type, -1) CALL(H5Dopen2, -1) CALL(H5Dread, -1) CALL(H5Dwrite, -1)
CALL(H5Fclose, -1) CALL(H5Fcreate, -1) CALL(H5Fflush, -1) CALL(H5Fget_filesize, -1)
CALL(H5Fget_name, -1) CALL(H5Fget_vfd_handle, -1) CALL(H5Iget_name, -1) CALL(H5Fopen, -1) CALL(H5Gcreate2, -1) CALL(H5Gopen2, -1)
CALL(H5Idec_ref, -1) CALL(H5Iget_file_id, -1) CALL(H5Oopen, -1) CALL(H5Pcreate, -1)
CALL(H5Pset_alignment, -1) CALL(H5Pset_alloc_time, -1) CALL(H5Pset_attr_creation_order, -1)
CALL(H5Pset_fapl_mpio, -1) CALL(H5Pset_fill_value, -1) CALL(H5Pset_layout, -1)
CALL(H5Pset_libver_bounds, -1) CALL(H5Pset_link_creation_order, -1)
CALL(H5Pset_obj_track_times, -1) CALL(H5Sclose, -1) CALL(H5Screate, -1)
CALL(H5Screate_simple, -1) CALL(H5Sget_simple_extent_dims, -1)
CALL(H5Sget_simple_extent_ndims, -1) CALL(H5Sget_simple_extent_npoints, -1)
CALL(H5Sselect_hyperslab, -1) CALL(H5Tclose, -1) CALL(H5Tcopy, -1) CALL(H5Tget_class, -1)
CALL(H5Tget_size, 0) CALL(H5Tis_variable_str, -1) CALL(H5Tset_cset, -1) CALL(H5Tset_size, -1)
CALL(H5free_memory, -1)
    /* clang-format on */
    /* NOLINTEND(readability-function-size,readability-inconsistent-declaration-parameter-name) */
