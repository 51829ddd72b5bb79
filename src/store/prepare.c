/* Before the first run: make the file, complete and synced, or recognize the one that stands. */

#include "builds.h"
#include "compact.h"
#include "fit.h"
#include "make.h"
#include "room.h"
#include "skeleton.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

/* ---- room --------------------------------------------------------------------------------------- */

PetscErrorCode ip_store_size(const ip_plan *plan, uint64_t *bytes)
{
  ip_layout *layout = NULL;

  PetscCall(ip_layout_create(plan, &layout));
  *bytes = ip_skeleton_bytes(layout);
  ip_layout_destroy(&layout);
  return PETSC_SUCCESS;
}

static PetscErrorCode free_in(const char *folder, uint64_t *bytes)
{
  struct statvfs about;

  IP_CHECK(statvfs(folder, &about) == 0, IP_ERR_CREATE, "folder %s: %s", folder,
           strerror(errno));
  IP_CHECK(access(folder, W_OK | X_OK) == 0, IP_ERR_CREATE, "folder %s: %s", folder,
           strerror(errno));
  *bytes = (uint64_t)about.f_bavail * about.f_frsize;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_store_free_space(const char *path, uint64_t *bytes)
{
  char *folder = NULL;

  PetscCall(ip_file_folder(path, &folder));
  const PetscErrorCode code = free_in(folder, bytes);

  ip_release(&folder);
  return code;
}

bool ip_store_on_nfs(const char *path)
{
  struct statfs about;
  char *folder = NULL;

  if (ip_file_folder(path, &folder)) return false;
  const bool nfs = statfs(folder, &about) == 0 && about.f_type == NFS_SUPER_MAGIC;

  ip_release(&folder);
  return nfs;
}

/* ---- a new file ---------------------------------------------------------------------------------- */

PetscErrorCode room_check(const char *path, uint64_t needed, uint64_t beside)
{
  uint64_t available = 0;
  struct rlimit limit;
  char size[32], room[32];

  PetscCall(ip_store_free_space(path, &available));
  ip_bytes_format((double)needed + (double)beside, size);
  ip_bytes_format((double)available, room);
  IP_CHECK(needed <= available && beside <= available - needed, IP_ERR_IO,
           "%s needs %s, but only %s are free: choose another folder, or look at fewer epochs, "
           "columns or runs",
           path, size, room);
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return PETSC_SUCCESS;
  ip_bytes_format((double)limit.rlim_cur, room);
  IP_CHECK(
      needed <= limit.rlim_cur, IP_ERR_IO,
      "%s needs %s, but files of at most %s are allowed here: raise the limit with ulimit -f",
      path, size, room);
  return PETSC_SUCCESS;
}

/* The new file belongs to whom the old one does, as far as we may. */
static void look_alike(int fd, const char *path)
{
  struct stat old;

  if (stat(path, &old) != 0) return;
  (void)!fchown(fd, old.st_uid, old.st_gid);
  (void)!fchmod(fd, old.st_mode & 07777);
}

static PetscErrorCode make_partial(const char *partial, const ip_make *m)
{
  const char *path = m->path;

  /* how small a compact one will be nobody knows */
  PetscCall(room_check(path, m->layout->compact ? 0 : ip_skeleton_bytes(m->layout),
                       m->origin->beside));
  IP_CHECK(unlink(partial) == 0 || errno == ENOENT, IP_ERR_CREATE,
           "%s, left over from an earlier start, cannot be removed: %s", partial,
           strerror(errno));
  const int fd = ip_file_open(partial, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);

  IP_CHECK(fd >= 0, IP_ERR_CREATE, "%s cannot be created: %s", partial, strerror(errno));
  PetscErrorCode code = ip_skeleton_write(partial, fd, m->plan, m->layout, m->origin);

  if (!code && m->fill) code = m->fill(m->context, partial);
  if (m->replace) look_alike(fd, path);
  if (!code) code = ip_file_sync(fd, partial);
  if (!code) code = ip_file_publish(partial, path, m->replace);
  if (code) unlink(partial);
  close(fd);
  return code;
}

PetscErrorCode ip_make_file(const ip_make *m)
{
  ip_text partial = {0};

  PetscCall(ip_text_add(&partial, "%s.partial", m->path));
  const PetscErrorCode code = make_partial(partial.text, m);

  ip_text_clear(&partial);
  return code;
}

/* ---- the file that stands ------------------------------------------------------------------------ */

static PetscErrorCode check_config(const char *path, hid_t file, const ip_plan *plan)
{
  ip_text config = {0}, words = {0};
  char *held = NULL;
  PetscErrorCode code = ip_h5_read_text(file, "config", &held);

  if (!code) code = ip_options_config(plan->options, &config);
  if (!code) code = ip_options_difference(held, config.text ? config.text : "", &words);
  if (!code && words.length > 0)
    code = ip_error_raise(IP_ERR_CONFIG, __func__,
                          "%s holds another study:\n%sUse another output file, or the input "
                          "that the file was begun with",
                          path, words.text);
  ip_text_clear(&words);
  ip_text_clear(&config);
  ip_release(&held);
  return code;
}

static PetscErrorCode check_build(const char *path, hid_t file, const ip_store_origin *origin)
{
  int found = -1, n = 0;
  char last[IP_LAYOUT_BUILD + 1] = "";
  hid_t dataset = -1;

  PetscCall(ip_h5_open_array(file, path, "provenance/build_text", &dataset));
  const PetscErrorCode code = ip_builds_find(dataset, origin->build, &found, &n, last);

  ip_h5_close(dataset);
  PetscCall(code);
  IP_CHECK(found >= 0 || n == 0 || origin->accept_build, IP_ERR_CONFIG,
           "%s was begun by another build of infoplane (%s; this one is %s), whose numbers may "
           "differ in the last bits: accept_build=yes continues it all the same",
           path, last, origin->build);
  IP_CHECK(found >= 0 || n < IP_LAYOUT_BUILDS, IP_ERR_CONFIG,
           "%s was continued by %d builds of infoplane, which is all it can name", path, n);
  return PETSC_SUCCESS;
}

static PetscErrorCode check_share(const char *path, hid_t file, const ip_plan *plan)
{
  char wanted[IP_SHARE_TEXT];
  char *held = NULL;
  PetscErrorCode code = ip_fit_share(file, &held);

  ip_share_name(plan, wanted);
  if (!code && strcmp(held, wanted) != 0)
    code = ip_error_raise(
        IP_ERR_CONFIG, __func__,
        "%s holds share %s of this study, but share=%s is asked for: use another output file, "
        "or share=%s%s",
        path, held, wanted, held,
        plan->shares > 1 ? "" : "; infoplane merge joins the files of all shares");
  ip_release(&held);
  return code;
}

/* Its runs would be proved with other patterns than they saw: all would be trained again. */
static PetscErrorCode check_data(const char *path, hid_t file, const ip_plan *plan)
{
  for (size_t i = 0; i < plan->data->n; i++) {
    const ip_cells cells = {.n_axes = 1, .start = {i}, .count = {1}};
    hid_t dataset = -1;
    uint64_t held = 0;

    PetscCall(ip_h5_open_array(file, path, "data_checksum", &dataset));
    const PetscErrorCode code = ip_h5_read(dataset, H5T_NATIVE_UINT64, &cells, &held);

    ip_h5_close(dataset);
    PetscCall(code);
    IP_CHECK(
        held == plan->data->checksum[i], IP_ERR_CONFIG,
        "%s was begun with other patterns or labels of data set \"%s\": use another output "
        "file, or the data that it was begun with",
        path, plan->data->label[i]);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode check(const char *path, const ip_plan *plan, const ip_layout *layout,
                            const ip_store_origin *origin)
{
  hid_t file = -1;

  PetscCall(ip_h5_open_ours(path, &file));
  PetscErrorCode code = check_config(path, file, plan);

  if (!code) code = check_share(path, file, plan);
  if (!code) code = ip_fit_shapes(path, file, layout);
  if (!code) code = check_data(path, file, plan);
  if (!code) code = check_build(path, file, origin);
  if (!code && ip_file_is_compact(file))
    code = ip_error_raise(IP_ERR_CONFIG, __func__,
                          "%s is compact: it can be read, merged and grown, but not continued. "
                          "infoplane merge %s -o NEW.h5 makes a file of it that can",
                          path, path);
  ip_h5_close(file);
  PetscCall(code);
  IP_CHECK(access(path, W_OK) == 0, IP_ERR_LOCKED, "%s: no permission to write it", path);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_store_prepare(const char *path, const ip_plan *plan,
                                const ip_store_origin *origin, bool *created)
{
  struct stat about;
  ip_layout *layout = NULL;
  const bool stands = stat(path, &about) == 0 || errno != ENOENT;

  ip_h5_begin();
  PetscCall(ip_layout_create(plan, &layout));
  const ip_make new_file = {.path = path, .plan = plan, .layout = layout, .origin = origin};
  const PetscErrorCode code =
      stands ? check(path, plan, layout, origin) : ip_make_file(&new_file);

  ip_layout_destroy(&layout);
  H5garbage_collect(); /* what HDF5 keeps for arrays that it will not make again */
  PetscCall(code);
  *created = !stands;
  return PETSC_SUCCESS;
}
