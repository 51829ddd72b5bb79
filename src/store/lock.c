/* One job at a time: `<path>.lock`, a block of `key: value` lines.

   HDF5 lets two jobs write one file, so this is all that stands between them.  The file appears
   with its contents in one step (a link), is locked besides by the kernel (an OFD lock, which dies
   with its process), and is replaced only by rename, so that whoever lost it can see that. */

#include "lock.h"
#include "holder.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <infoplane/store.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ATTEMPTS = 10, TOKEN_DIGITS = 16 };
static const double poll_seconds = 0.2;

struct ip_lock {
  char *path; /* of the lock file */
  int fd;
  holder me;
  bool neighbor; /* refused for a holder on this host: it may be about to end */
};

/* Seconds since the holder's last sign of life, by the clock of the file system alone: `now` is a file
   written just now in the same folder. */
static double silence(int fd, int now)
{
  struct stat then_about, now_about;

  if (fstat(fd, &then_about) != 0 || fstat(now, &now_about) != 0) return 0;
  return (double)(now_about.st_mtim.tv_sec - then_about.st_mtim.tv_sec);
}

/* ---- taking it ------------------------------------------------------------------------------------------ */

/* 1: the kernel's lock is ours; 0: another process has it; -1: this file system has none. */
static int kernel_lock(int fd)
{
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

  if (fcntl(fd, F_OFD_SETLK, &lock) == 0) return 1;
  return errno == EAGAIN || errno == EACCES ? 0 : -1;
}

static PetscErrorCode refuse(const char *path, const holder *h, double silent)
{
  ip_text job = {0};

  PetscCall(holder_add_job(h, " of ", &job));
  const PetscErrorCode code = ip_error_raise(
      IP_ERR_LOCKED, __func__,
      "%s: in use by process %" PRId64 "%s on host %s (last sign of life %.0f s ago); wait "
      "for it, or give break_lock=yes when it was silent for ten minutes",
      path, h->pid, job.text ? job.text : "", h->host[0] ? h->host : "unknown", silent);

  ip_text_clear(&job);
  return code;
}

static bool same_file(int fd, const char *path)
{
  struct stat open_about, path_about;

  return fstat(fd, &open_about) == 0 && stat(path, &path_about) == 0 &&
         open_about.st_dev == path_about.st_dev && open_about.st_ino == path_about.st_ino;
}

/* A lock stands: put ours (mine, open as fd) in its place if it is stale. *taken = false, no error: it
   changed meanwhile. */
static PetscErrorCode take_over(ip_lock *lock, const char *mine, bool break_lock, bool *taken)
{
  const char *path = lock->path;
  holder other = {0};
  const int old = ip_file_open(path, O_RDWR | O_NOFOLLOW);

  *taken = false;
  if (old < 0 && errno == ENOENT) return PETSC_SUCCESS;
  IP_CHECK(old >= 0, IP_ERR_LOCKED, "%s: %s", path, strerror(errno));

  const double silent = silence(old, lock->fd);
  const bool held = kernel_lock(old) == 0, readable = holder_read(old, &other);
  PetscErrorCode code = PETSC_SUCCESS;

  lock->neighbor = readable && holder_here(&other);
  /* a kernel lock on our own host is proof of life; from another host it may be a server's memory */
  const bool alive = held && lock->neighbor;

  if (!readable || alive || !holder_stale(&other, silent, break_lock))
    code = refuse(path, &other, silent);
  else if (same_file(old, path))
    *taken = rename(mine, path) == 0;
  close(old);
  return code;
}

/* Give our file the name of the lock. *taken = false, no error: try again. */
static PetscErrorCode take_once(ip_lock *lock, const char *mine, bool break_lock, bool *taken)
{
  const char *path = lock->path;
  int why = link(mine, path) == 0 ? 0 : errno;

  /* NFS may say that a link failed whose reply it lost: what counts is the file */
  *taken = why == 0 || same_file(lock->fd, path);
  if (*taken) {
    unlink(mine);
    return PETSC_SUCCESS;
  }
  if (why == EPERM || why == EOPNOTSUPP || why == ENOSYS) { /* no hard links here */
    *taken = renameat2(AT_FDCWD, mine, AT_FDCWD, path, RENAME_NOREPLACE) == 0;
    why = errno;
  }
  if (*taken || why == EINTR) return PETSC_SUCCESS;
  IP_CHECK(why == EEXIST, IP_ERR_CREATE, "%s cannot be created: %s", path, strerror(why));
  return take_over(lock, mine, break_lock, taken);
}

/* Our file beside the lock, complete and locked by the kernel. */
static PetscErrorCode write_mine(const char *mine, const holder *me, int *fd)
{
  char block[HOLDER_BLOCK];

  *fd = ip_file_open(mine, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  IP_CHECK(*fd >= 0, IP_ERR_CREATE, "%s cannot be created: %s", mine, strerror(errno));
  holder_write(me, block);
  PetscCall(ip_file_write(*fd, mine, block, HOLDER_BLOCK, 0));
  PetscCall(ip_file_sync(*fd, mine));
  (void)kernel_lock(*fd); /* where there is none, the file itself has to do */
  return PETSC_SUCCESS;
}

static PetscErrorCode take(ip_lock *lock, bool break_lock)
{
  ip_text mine = {0};
  bool taken = false;

  PetscCall(holder_introduce(&lock->me));
  PetscCall(ip_text_add(&mine, "%s.%016" PRIx64, lock->path, lock->me.token));
  PetscErrorCode code = write_mine(mine.text, &lock->me, &lock->fd);

  for (int i = 0; i < ATTEMPTS && !code && !taken; i++)
    code = take_once(lock, mine.text, break_lock, &taken);
  if (!code && !taken)
    code = ip_error_raise(IP_ERR_LOCKED, __func__, "%s: other jobs are taking it", lock->path);
  if (code && lock->fd >= 0) {
    unlink(mine.text);
    close(lock->fd);
    lock->fd = -1;
  }
  ip_text_clear(&mine);
  return code;
}

/* ---- what others left ----------------------------------------------------------------------------------- */

/* `<lock>.<token>`: of a job that was killed, or lost its power, while it took the lock. */
static bool is_attempt(const char *name, const char *lock)
{
  const size_t n = strlen(lock);

  return strncmp(name, lock, n) == 0 && name[n] == '.' &&
         strspn(name + n + 1, "0123456789abcdef") == TOKEN_DIGITS &&
         name[n + 1 + TOKEN_DIGITS] == '\0';
}

static void remove_if_stale(const ip_lock *lock, const char *path)
{
  holder h = {0};
  const int fd = ip_file_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

  if (fd < 0) return;
  if (holder_read(fd, &h) && holder_stale(&h, silence(fd, lock->fd), true)) unlink(path);
  close(fd);
}

/* Nobody depends on this: what cannot be removed stays. */
static PetscErrorCode remove_attempts(const ip_lock *lock)
{
  const char *slash = strrchr(lock->path, '/'), *name = slash ? slash + 1 : lock->path;
  char *folder = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  PetscCall(ip_file_folder(lock->path, &folder));
  DIR *listing = opendir(folder);

  for (const struct dirent *e; listing && !code && (e = readdir(listing));) {
    ip_text path = {0};

    if (!is_attempt(e->d_name, name)) continue;
    code = ip_text_add(&path, "%s/%s", folder, e->d_name);
    if (!code) remove_if_stale(lock, path.text);
    ip_text_clear(&path);
  }
  if (listing) closedir(listing);
  ip_release(&folder);
  return code;
}

/* ---- front door ------------------------------------------------------------------------------------------ */

/* The ranks of a killed mpirun live for a second or two longer than it: wait for them. */
static PetscErrorCode take_patiently(ip_lock *lock, bool break_lock, double patience)
{
  PetscErrorCode code = take(lock, break_lock);

  for (double waited = 0.0; code == IP_ERR_LOCKED && lock->neighbor && waited < patience;
       waited += poll_seconds) {
    nanosleep(&(struct timespec){.tv_nsec = (long)(1e9 * poll_seconds)}, NULL);
    ip_error_clear();
    lock->neighbor = false;
    code = take(lock, break_lock);
  }
  return code;
}

PetscErrorCode ip_lock_take(const char *path, bool break_lock, double patience, ip_lock **lock)
{
  ip_lock *l = NULL;
  ip_text name = {0};

  PetscCall(ip_text_add(&name, "%s.lock", path));
  PetscErrorCode code = IP_ALLOCATE(1, &l);

  if (code) {
    ip_text_clear(&name);
    return code;
  }
  l->fd = -1;
  l->path = name.text;
  code = take_patiently(l, break_lock, patience);
  if (!code) code = remove_attempts(l);
  if (code && l->fd >= 0) {
    ip_lock_release(&l);
  } else if (code) {
    ip_release(&l->path);
    ip_release(&l);
  } else {
    *lock = l;
  }
  return code;
}

/* ---- holding it ------------------------------------------------------------------------------------------ */

PetscErrorCode ip_lock_beat(ip_lock *lock, const ip_progress *progress, double rate,
                            double seconds_left)
{
  char block[HOLDER_BLOCK];

  IP_CHECK(same_file(lock->fd, lock->path), IP_ERR_LOCKED,
           "%s was taken or removed: another job may be writing the file", lock->path);
  lock->me.heartbeat = time(NULL);
  lock->me.runs = (int64_t)progress->runs;
  lock->me.done = (int64_t)progress->done;
  lock->me.diverged = (int64_t)progress->diverged;
  lock->me.failed = (int64_t)progress->failed;
  lock->me.running = (int64_t)progress->running;
  lock->me.rate = rate;
  lock->me.left = seconds_left;
  holder_write(&lock->me, block);
  return ip_file_write(lock->fd, lock->path, block, HOLDER_BLOCK, 0);
}

uint64_t ip_lock_token(const ip_lock *lock)
{
  return lock->me.token;
}

void ip_lock_release(ip_lock **lock)
{
  if (!*lock) return;
  if (same_file((*lock)->fd, (*lock)->path)) unlink((*lock)->path);
  close((*lock)->fd);
  ip_release(&(*lock)->path);
  ip_release(lock);
}

/* The holder named by the lock of path; *found = false: no lock stands. */
static PetscErrorCode look_up(const char *path, holder *h, bool *found)
{
  ip_text name = {0};

  PetscCall(ip_text_add(&name, "%s.lock", path));
  const int fd = ip_file_open(name.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  const int why = errno;

  ip_text_clear(&name);
  *found = fd >= 0 && holder_read(fd, h);
  if (fd >= 0) close(fd);
  IP_CHECK(*found || why == ENOENT, IP_ERR_LOCKED, "%s.lock: %s", path, strerror(why));
  return PETSC_SUCCESS;
}

PetscErrorCode ip_lock_check(const char *path, uint64_t token)
{
  holder h = {0};
  bool found = false;

  PetscCall(look_up(path, &h, &found));
  IP_CHECK(found && h.token == token, IP_ERR_LOCKED,
           "%s.lock was %s: another job may be writing the file, so nothing more is written",
           path, found ? "taken by another job" : "removed");
  return PETSC_SUCCESS;
}

PetscErrorCode ip_lock_describe(const char *path, ip_text *words)
{
  holder h = {0};
  bool found = false;
  char left[32];

  PetscCall(look_up(path, &h, &found));
  if (!found || holder_gone(&h)) return PETSC_SUCCESS;
  PetscCall(ip_text_add(words, "process %" PRId64 " on host %s", h.pid, h.host));
  PetscCall(holder_add_job(&h, ", ", words));
  ip_seconds_format(h.left, left);
  if (h.runs > 0)
    PetscCall(ip_text_add(words,
                          ": %" PRId64 " of %" PRId64 " runs done, %" PRId64
                          " running, %.3g runs per hour, %s left",
                          h.done, h.runs, h.running, h.rate, left));
  const double ago = (double)time(NULL) - (double)h.heartbeat;

  return ip_text_add(words, "; last sign of life %.0f s ago", ago > 0 ? ago : 0.0);
}

PetscErrorCode ip_lock_refuse(const char *path)
{
  ip_text words = {0};
  PetscErrorCode code = ip_lock_describe(path, &words);

  if (!code && words.length > 0)
    code = ip_error_raise(IP_ERR_LOCKED, __func__,
                          "%s is being written by %s: wait for it (a lock that a dead job left "
                          "goes away with the next run on that file, or by removing %s.lock)",
                          path, words.text, path);
  ip_text_clear(&words);
  return code;
}
