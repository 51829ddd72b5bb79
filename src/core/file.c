/* Files: every byte or an error, over short transfers and signals. */

#include <errno.h>
#include <fcntl.h>
#include <infoplane/core.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int ip_file_open(const char *path, int flags)
{
  int fd;

  do fd = open(path, flags | O_CLOEXEC, 0666);
  while (fd < 0 && errno == EINTR);
  return fd;
}

PetscErrorCode ip_file_write(int fd, const char *path, const void *bytes, size_t n,
                             uint64_t offset)
{
  for (size_t done = 0; done < n;) {
    const ssize_t some =
        pwrite(fd, (const char *)bytes + done, n - done, (off_t)(offset + done));

    if (some < 0 && errno == EINTR) continue;
    IP_CHECK(some > 0, IP_ERR_IO, "%s cannot be written: %s", path,
             some < 0 ? strerror(errno) : "nothing is taken any more");
    done += (size_t)some;
  }
  return PETSC_SUCCESS;
}

PetscErrorCode ip_file_read(int fd, const char *path, void *bytes, size_t n, uint64_t offset)
{
  for (size_t done = 0; done < n;) {
    const ssize_t some = pread(fd, (char *)bytes + done, n - done, (off_t)(offset + done));

    if (some < 0 && errno == EINTR) continue;
    IP_CHECK(some >= 0, IP_ERR_IO, "%s cannot be read: %s", path, strerror(errno));
    IP_CHECK(some > 0, IP_ERR_DATA, "%s ends after %llu bytes", path,
             (unsigned long long)(offset + done));
    done += (size_t)some;
  }
  return PETSC_SUCCESS;
}

PetscErrorCode ip_file_sync(int fd, const char *path)
{
  int failed;

  do failed = fdatasync(fd);
  while (failed && errno == EINTR);
  IP_CHECK(!failed, IP_ERR_IO, "%s cannot be synced: %s", path, strerror(errno));
  return PETSC_SUCCESS;
}

PetscErrorCode ip_file_folder(const char *path, char **folder)
{
  const char *slash = strrchr(path, '/');
  ip_text text = {0};

  if (!slash)
    PetscCall(ip_text_add(&text, "."));
  else
    PetscCall(ip_text_add(&text, "%.*s", slash == path ? 1 : (int)(slash - path), path));
  *folder = text.text;
  return PETSC_SUCCESS;
}

static PetscErrorCode sync_folder(const char *folder, const char *path)
{
  const int fd = ip_file_open(folder, O_RDONLY | O_DIRECTORY);
  int failed;

  do failed = fd < 0 ? -1 : fsync(fd);
  while (failed && errno == EINTR);
  const int why = errno;

  if (fd >= 0) close(fd);
  IP_CHECK(!failed || (fd >= 0 && why == EINVAL), IP_ERR_IO, /* EINVAL: needs no sync here */
           "%s: its folder cannot be synced: %s", path, strerror(why));
  return PETSC_SUCCESS;
}

/* renameat2 is unknown to NFS, which has links. */
static int rename_new(const char *partial, const char *path)
{
  int failed;

  if (renameat2(AT_FDCWD, partial, AT_FDCWD, path, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  if (link(partial, path) != 0) return -1;
  do failed = unlink(partial); /* alone: the link stands, a second one would be refused */
  while (failed && errno == EINTR);
  return failed;
}

static PetscErrorCode publish(const char *partial, const char *path, const char *folder,
                              bool replace)
{
  int failed;

  do failed = replace ? rename(partial, path) : rename_new(partial, path);
  while (failed && errno == EINTR);
  IP_CHECK(!failed, IP_ERR_CREATE, "%s cannot be created: %s", path, strerror(errno));
  return sync_folder(folder, path);
}

PetscErrorCode ip_file_publish(const char *partial, const char *path, bool replace)
{
  char *folder = NULL;

  PetscCall(ip_file_folder(path, &folder));
  const PetscErrorCode code = publish(partial, path, folder, replace);

  ip_release(&folder);
  return code;
}
