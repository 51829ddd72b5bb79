#pragma once

/** @file
 *  A system and an HDF5 that refuse: call number n of the kind at hand fails, for n = 1, 2, 3, ...
 *  until the work is done without reaching it.  The calls are wrapped by the linker (CMakeLists.txt
 *  reads their names here), so that only calls of infoplane itself fail.
 *
 *  HDF5 is called thousands of times, but from few places in the code: of each place its first calls
 *  count, two, or as many as IP_FAULTS in the environment says.
 *
 *  After each: an error with a message, or none (never one where a signal interrupted), and the work
 *  itself says what must be true then; nothing is kept of memory, HDF5 handles and descriptors. */

#include "failing.h"
#include <dirent.h>
#include <errno.h>
#include <hdf5_hl.h>
#include <linux/magic.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

typedef enum {
  NOTHING,
  SYSTEM,
  WAITING, /* a call of the system that a signal can interrupt */
  HDF5
} refused_kind;
/** After a call was refused: the next ones work, those from the same place fail too, or all do. */
typedef enum { ONCE, THIS_PLACE, ALL } refused_again;
enum { MOST_PLACES = 512 };

static struct {
  refused_kind kind;
  int why; /* errno of the system */
  refused_again again;
  long each, calls, fail_at;
  int n_places, failed; /* failed: the place, once it has */
  struct {
    uintptr_t at;
    long calls;
  } place[MOST_PLACES];
} refusal;

/* One more call from this place, and it fails. */
static bool refuses(refused_kind kind, void *address)
{
  const uintptr_t at = (uintptr_t)address;
  int p = 0;

  const bool wanted = kind == refusal.kind || (kind == WAITING && refusal.kind == SYSTEM);

  if (!wanted) return false;
  while (p < refusal.n_places && refusal.place[p].at != at) p++;
  assert_true(p < MOST_PLACES);
  if (p == refusal.n_places) {
    refusal.place[p].at = at;
    refusal.place[p].calls = 0;
    refusal.n_places++;
  }
  errno = refusal.why;
  if (refusal.failed >= 0 && refusal.again == ALL) return true;
  if (refusal.failed == p && refusal.again == THIS_PLACE) return true;
  if (++refusal.place[p].calls > refusal.each || ++refusal.calls != refusal.fail_at)
    return false;
  refusal.failed = p;
  return true;
}

/* ---- the system ------------------------------------------------------------------------------ */

#define HERE          __builtin_return_address(0)
#define REAL(name)    __real_##name
#define WRAPPED(name) __wrap_##name

/** A call of this kind with these parameters that fails with this answer. */
#define REFUSED(kind, type, name, answer, parameters, arguments)                               \
  type REAL(name) parameters;                                                                  \
  type WRAPPED(name) parameters;                                                               \
  type WRAPPED(name) parameters                                                                \
  {                                                                                            \
    return refuses(kind, HERE) ? (answer) : REAL(name) arguments;                              \
  }

REFUSED(WAITING, int, open, -1, (const char *path, int flags, mode_t mode), (path, flags, mode))
REFUSED(WAITING, ssize_t, pread, -1, (int fd, void *b, size_t n, off_t at), (fd, b, n, at))
REFUSED(WAITING, ssize_t, pwrite, -1, (int fd, const void *b, size_t n, off_t at),
        (fd, b, n, at))
REFUSED(WAITING, ssize_t, read, -1, (int fd, void *b, size_t n), (fd, b, n))
REFUSED(WAITING, int, fdatasync, -1, (int fd), (fd))
REFUSED(WAITING, int, fsync, -1, (int fd), (fd))
REFUSED(SYSTEM, int, fstat, -1, (int fd, struct stat *s), (fd, s))
REFUSED(SYSTEM, int, stat, -1, (const char *path, struct stat *s), (path, s))
REFUSED(SYSTEM, int, statvfs, -1, (const char *path, struct statvfs *s), (path, s))
REFUSED(SYSTEM, int, access, -1, (const char *path, int how), (path, how))
REFUSED(SYSTEM, int, unlink, -1, (const char *path), (path))
REFUSED(WAITING, int, rename, -1, (const char *from, const char *to), (from, to))
REFUSED(WAITING, int, renameat2, -1,
        (int a, const char *from, int b, const char *to, unsigned how), (a, from, b, to, how))
REFUSED(WAITING, int, ftruncate, -1, (int fd, off_t n), (fd, n))
REFUSED(WAITING, int, fallocate, -1, (int fd, int how, off_t at, off_t n), (fd, how, at, n))
REFUSED(WAITING, int, posix_fallocate, refusal.why, (int fd, off_t at, off_t n), (fd, at, n))
REFUSED(SYSTEM, int, getrlimit, -1, (int what, struct rlimit *l), (what, l))
REFUSED(SYSTEM, int, memfd_create, -1, (const char *name, unsigned how), (name, how))
REFUSED(SYSTEM, int, gethostname, -1, (char *name, size_t n), (name, n))
REFUSED(SYSTEM, ssize_t, getrandom, -1, (void *b, size_t n, unsigned how), (b, n, how))
REFUSED(SYSTEM, int, pipe2, -1, (int pipes[2], int how), (pipes, how))
REFUSED(SYSTEM, FILE *, fopen, NULL, (const char *path, const char *how), (path, how))
REFUSED(SYSTEM, DIR *, opendir, NULL, (const char *path), (path))
REFUSED(SYSTEM, int, posix_spawnp, refusal.why,
        (pid_t * child, const char *file, const posix_spawn_file_actions_t *actions,
         const posix_spawnattr_t *how, char *const argument[], char *const environment[]),
        (child, file, actions, how, argument, environment))

/* A folder that may be said to lie on NFS. */
static bool on_nfs;
int REAL(statfs)(const char *path, struct statfs *s);
int WRAPPED(statfs)(const char *path, struct statfs *s);
int WRAPPED(statfs)(const char *path, struct statfs *s)
{
  const int answer = refuses(SYSTEM, HERE) ? -1 : REAL(statfs)(path, s);

  if (on_nfs) s->f_type = NFS_SUPER_MAGIC;
  return answer;
}

/* EIO: as NFS says that a link failed whose reply it lost. */
int REAL(link)(const char *from, const char *to);
int WRAPPED(link)(const char *from, const char *to);
int WRAPPED(link)(const char *from, const char *to)
{
  if (!refuses(WAITING, HERE)) return REAL(link)(from, to);
  if (refusal.why == EIO) (void)REAL(link)(from, to);
  errno = refusal.why;
  return -1;
}

/* Locks alone. */
int REAL(fcntl)(int fd, int what, void *value);
int WRAPPED(fcntl)(int fd, int what, void *value);
int WRAPPED(fcntl)(int fd, int what, void *value)
{
  return what == F_OFD_SETLK && refuses(WAITING, HERE) ? -1 : REAL(fcntl)(fd, what, value);
}

/* What is to be closed or waited for is, whatever is said of it: else nobody could do it later. */
int REAL(close)(int fd);
int WRAPPED(close)(int fd);
int WRAPPED(close)(int fd)
{
  const int answer = REAL(close)(fd);

  return refuses(SYSTEM, HERE) ? -1 : answer;
}

pid_t REAL(waitpid)(pid_t child, int *status, int how);
pid_t WRAPPED(waitpid)(pid_t child, int *status, int how);
pid_t WRAPPED(waitpid)(pid_t child, int *status, int how)
{
  if (!refuses(WAITING, HERE)) return REAL(waitpid)(child, status, how);
  if (refusal.why != EINTR) (void)REAL(waitpid)(child, status, how);
  errno = refusal.why;
  return -1;
}

/* ---- HDF5 ------------------------------------------------------------------------------------ */

/* Whole numbers and pointers alone, eight at most: passed on as they come, whatever their types. */
/* NOLINTBEGIN(readability-function-size) */
#define CALL(name, answer)                                                                     \
  long REAL(name)(long a, long b, long c, long d, long e, long f, long g, long h);             \
  long WRAPPED(name)(long a, long b, long c, long d, long e, long f, long g, long h);          \
  long WRAPPED(name)(long a, long b, long c, long d, long e, long f, long g, long h)           \
  {                                                                                            \
    return refuses(HDF5, HERE) ? (answer) : REAL(name)(a, b, c, d, e, f, g, h);                \
  }
/* clang-format off */
CALL(H5Acreate2, -1) CALL(H5Aexists, -1) CALL(H5Aget_space, -1) CALL(H5Aget_type, -1)
CALL(H5Aopen, -1) CALL(H5Aread, -1) CALL(H5Awrite, -1) CALL(H5DSattach_scale, -1)
CALL(H5DSset_scale, -1) CALL(H5Dcreate2, -1) CALL(H5Dget_space, -1) CALL(H5Dget_type, -1)
CALL(H5Dopen2, -1) CALL(H5Dread, -1) CALL(H5Dwrite, -1) CALL(H5Fcreate, -1)
CALL(H5Fflush, -1) CALL(H5Fget_name, -1) CALL(H5Fget_vfd_handle, -1)
CALL(H5Gcreate2, -1) CALL(H5Gopen2, -1) CALL(H5Iget_name, -1) CALL(H5Iget_type, -1)
CALL(H5Oopen, -1) CALL(H5Oopen_by_idx, -1) CALL(H5Pcreate, -1) CALL(H5Pset_alignment, -1)
CALL(H5Pset_chunk, -1) CALL(H5Pset_shuffle, -1) CALL(H5Pset_deflate, -1)
CALL(H5Pget_layout, -1) CALL(H5Gget_info_by_name, -1) CALL(H5Dget_create_plist, -1)
CALL(H5Aexists_by_name, -1) CALL(H5Pset_alloc_time, -1) CALL(H5Pset_attr_creation_order, -1) CALL(H5Pset_fapl_mpio, -1)
CALL(H5Pset_fill_value, -1) CALL(H5Pset_layout, -1) CALL(H5Pset_libver_bounds, -1)
CALL(H5Pset_link_creation_order, -1) CALL(H5Pset_obj_track_times, -1) CALL(H5Screate, -1)
CALL(H5Screate_simple, -1) CALL(H5Sget_simple_extent_dims, -1)
CALL(H5Sget_simple_extent_ndims, -1) CALL(H5Sget_simple_extent_npoints, -1)
CALL(H5Sselect_hyperslab, -1) CALL(H5Tcopy, -1) CALL(H5Tget_class, -1) CALL(H5Tget_size, 0)
CALL(H5Tis_variable_str, -1) CALL(H5Tset_cset, -1) CALL(H5Tset_size, -1)
    /* clang-format on */
    /* NOLINTEND(readability-function-size) */

    long REAL(H5Fclose)(long file);
long WRAPPED(H5Fclose)(long file);
long WRAPPED(H5Fclose)(long file)
{
  const long answer = REAL(H5Fclose)(file);

  return refuses(HDF5, HERE) ? -1 : answer;
}

/* With a reason that HDF5 has from the system. */
long REAL(H5Fopen)(const char *path, long how, long access);
long WRAPPED(H5Fopen)(const char *path, long how, long access);
long WRAPPED(H5Fopen)(const char *path, long how, long access)
{
  return REAL(H5Fopen)(refuses(HDF5, HERE) ? "no folder/x.h5" : path, how, access);
}

/* ---- of ours --------------------------------------------------------------------------------- */

PetscErrorCode __wrap_ip_file_probe(const char *path, const char *library,
                                    PetscErrorCode (*read)(void *context), void *context);
PetscErrorCode __wrap_ip_file_probe(const char *path, const char *library,
                                    PetscErrorCode (*read)(void *context), void *context)
{
  (void)path, (void)library;
  return read(context); /* a child could not tell how often it called */
}

/* ---- what may be left ------------------------------------------------------------------------- */

/* What failures left of ours, but this, is put away: it cannot be told from the lock of a job that
   lives. */
static inline void remove_ours(const char *but)
{
  DIR *listing = opendir(".");

  assert_non_null(listing);
  for (const struct dirent *e; (e = readdir(listing));)
    if (strncmp(e->d_name, "x.h5.lock", 9) == 0 && strcmp(e->d_name, but) != 0)
      unlink(e->d_name);
  closedir(listing);
}

/* ---- every n --------------------------------------------------------------------------------- */

/** What is refused how. */
typedef struct {
  const char *name;
  refused_kind kind;
  int why;
  refused_again again;
} refused_how;

/** Some work, and what must be true after it: both with the code it ended with.  What it makes
 *  is put away there too, where nothing fails. */
typedef struct {
  const char *name;
  task act;
  void (*after)(const void *context, PetscErrorCode code);
} work;

/* The work with its call number n failing; *reached = false: it has not so many. */
static bool refuse_one(const work *w, const void *context, const refused_how *how, long n,
                       bool *reached)
{
  const held before = count_held();

  ip_error_clear();
  refusal.kind = how->kind;
  refusal.why = how->why;
  refusal.again = how->again;
  refusal.failed = -1;
  refusal.fail_at = n;
  refusal.calls = refusal.n_places = 0;
  const PetscErrorCode code = w->act(context);
  const bool told = code == PETSC_SUCCESS || ip_error_message()[0] != '\0';

  refusal.kind = NOTHING;
  *reached = refusal.calls >= n && n > 0;

  const bool right = *reached && how->why != EINTR ? told : code == PETSC_SUCCESS;

  if (!right)
    print_error("%s, %s: call %ld failed: code %d, \"%s\"\n", w->name, how->name, n, (int)code,
                ip_error_message());
  w->after(context, code);
  ip_error_clear();
  return expect_held(&before, w->name, n) && right;
}

/** Do the work, each of its calls failing once, in each of these ways. */
static inline void refuse_each(const work *w, const void *context, size_t n_ways,
                               const refused_how way[])
{
  const char *wanted = getenv("IP_FAULTS");
  const long each = wanted ? strtol(wanted, NULL, 10) : 2;
  long tried = 0, bad = 0;

  for (size_t i = 0; i < n_ways; i++) {
    bool reached = true;

    refusal.each = way[i].kind == HDF5 ? each : EACH;
    bad += !refuse_one(w, context, &way[i], 0, &reached); /* once in peace */
    reached = true;
    for (long n = 1; reached; n++) {
      bad += !refuse_one(w, context, &way[i], n, &reached);
      tried += reached;
    }
  }
  print_message("%s: %ld calls failed\n", w->name, tried);
  if (bad > 0 || tried == 0)
    fail_msg("%s: %ld of %ld failures went wrong", w->name, bad, tried);
}
