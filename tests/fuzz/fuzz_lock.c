/* Any bytes as FILE.h5.lock: described in one line, and taken or left as it is. */

#include "fuzz.h"
#include <ctype.h>
#include <errno.h>
#include <infoplane/store.h>
#include <lock.h>
#include <spawn.h>
#include <sys/stat.h>

/* A machine without Slurm, called "here": nothing is started, and locks of this host can be made.
   NOLINTBEGIN(readability-*): glibc prescribes the parameters */
int posix_spawnp(pid_t *child, const char *command, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argument[],
                 char *const environment[])
{
  (void)child, (void)command, (void)actions, (void)attributes, (void)argument,
      (void)environment;
  return ENOENT;
}

int gethostname(char *host, size_t room)
{
  snprintf(host, room, "here");
  return 0;
}
/* NOLINTEND(readability-*) */

static void describe(const char *file)
{
  ip_text words = {0};

  MUST(ip_lock_describe(file, &words) == PETSC_SUCCESS);
  for (size_t i = 0; i < words.length; i++) MUST(isprint((unsigned char)words.text[i]));
  ip_text_clear(&words);
}

static void take(const uint8_t *bytes, size_t length, bool old)
{
  static const struct timespec when[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
  const fuzz_path file = path_of("x.h5"), name = path_of("x.h5.lock");
  ip_lock *lock = NULL;

  write_bytes(name.at, bytes, length);
  MUST(!old || utimensat(AT_FDCWD, name.at, when, 0) == 0);
  describe(file.at);
  const PetscErrorCode code = ip_lock_take(file.at, old, 0, &lock);

  if (code) {
    MUST(code == IP_ERR_LOCKED && !lock);
    must_hold(name.at, bytes, length);
    unlink(name.at);
    return;
  }
  MUST(ip_lock_check(file.at, ip_lock_token(lock)) == PETSC_SUCCESS);
  ip_lock_release(&lock);
  MUST(access(name.at, F_OK) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  begin();
  unsetenv("SLURM_JOB_ID");
  take(bytes, length, false);
  ip_error_clear();
  take(bytes, length, true);
  return 0;
}
