/* The input file: read and parsed by one rank, then handed to all. */

#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  FIRST_ROOM = 1 << 16,
  LARGEST_INPUT = 16 << 20
}; /* bytes: an input file is read by people */

/* ---- one rank ------------------------------------------------------------------------------------ */

/* Twice the room.  Not the largest at once: pages that were touched here stay with the rank. */
static PetscErrorCode grow_room(input *in, size_t *room)
{
  const size_t more = *room > 0 ? 2 * *room : FIRST_ROOM;
  char *text = NULL;

  PetscCall(IP_ALLOCATE(more, &text));
  if (in->length > 0) memcpy(text, in->text, in->length);
  ip_release(&in->text);
  in->text = text;
  *room = more;
  return PETSC_SUCCESS;
}

static PetscErrorCode read_open_file(int file, const char *path, input *in)
{
  struct stat about;
  ssize_t got = 1;
  size_t room = 0;

  IP_CHECK(fstat(file, &about) == 0, IP_ERR_NO_INPUT, "%s: %s", path, strerror(errno));
  IP_CHECK(!S_ISDIR(about.st_mode), IP_ERR_NO_INPUT, "%s is a folder, not an input file", path);
  while (got > 0 && in->length <= LARGEST_INPUT) {
    if (in->length == room) PetscCall(grow_room(in, &room));
    got = read(file, in->text + in->length, room - in->length);
    if (got < 0 && errno == EINTR)
      got = 1;
    else if (got > 0)
      in->length += (size_t)got;
  }
  IP_CHECK(got >= 0, IP_ERR_NO_INPUT, "%s: %s", path, strerror(errno));
  IP_CHECK(in->length <= LARGEST_INPUT, IP_ERR_CONFIG,
           "%s: larger than %d MiB, so not an input file (results go to: infoplane status)",
           path, LARGEST_INPUT >> 20);
  return PETSC_SUCCESS;
}

static PetscErrorCode read_file(const char *path, input *in)
{
  const int file = ip_file_open(path, O_RDONLY);

  IP_CHECK(file >= 0, IP_ERR_NO_INPUT, "%s: %s", path, strerror(errno));

  const PetscErrorCode code = read_open_file(file, path, in);

  close(file);
  return code;
}

static PetscErrorCode parse(const arguments *a, input *in)
{
  return ip_options_read(in->name, in->text, in->length, a->n_settings, a->setting,
                         &in->options);
}

PetscErrorCode input_read(const arguments *a, input *in)
{
  IP_CHECK(a->operand, IP_ERR_USAGE, "%s needs an input file: infoplane %s INPUT.yaml", a->verb,
           a->verb);
  PetscCall(ip_text_copy(a->operand, &in->name));
  PetscCall(read_file(a->operand, in));
  PetscCall(parse(a, in));
  for (size_t b = 0; b < in->options->n_blocks; b++)
    IP_CHECK(!ip_block_is_given(&in->options->block[b]), IP_ERR_CONFIG,
             "%s: study %s: activations are measured by infoplane estimate FILE, not by %s",
             a->operand, in->options->block[b].name, a->verb);
  return PETSC_SUCCESS;
}

PetscErrorCode input_parse(const arguments *a, input *in)
{
  return parse(a, in);
}

PetscErrorCode input_plan(input *in)
{
  PetscCall(ip_data_create(in->options, &in->data));
  PetscCall(ip_data_load(in->data));
  return ip_plan_create(in->options, in->data, &in->plan);
}

void input_clear(input *in)
{
  ip_plan_destroy(&in->plan);
  ip_data_destroy(&in->data);
  ip_options_destroy(&in->options);
  ip_activations_close(&in->activations);
  ip_release(&in->name);
  ip_release(&in->text);
}

PetscErrorCode output_path(const arguments *a, const ip_options *options, char **path)
{
  const ip_value *share = ip_options_value(options, 0, IP_KEY_SHARE);
  ip_text name = {0};
  const bool given = ip_block_is_given(&options->block[0]);
  const char *operand = a->operand ? a->operand : "", *base = operand;
  size_t length = strlen(operand);

  if (a->output) return ip_text_copy(a->output, path);
  while (length > 1 && operand[length - 1] == '/') length--; /* of a folder */
  for (size_t i = 0; i + 1 < length; i++)
    if (operand[i] == '/') base = operand + i + 1;
  length -= (size_t)(base - operand);
  for (size_t i = length; i-- > 1;)
    if (base[i] == '.') {
      length = i;
      break;
    }
  PetscCall(ip_text_add(&name, "%.*s%s", (int)length, base, given ? "_mi" : ""));
  PetscErrorCode code = PETSC_SUCCESS;

  if (share->n > 1) code = ip_text_add(&name, ".%d-of-%zu", (int)share->integer, share->n);
  if (!code) code = ip_text_add(&name, ".h5");
  if (code) {
    ip_text_clear(&name);
    return code;
  }
  *path = name.text;
  return PETSC_SUCCESS;
}

/* ---- all ranks ------------------------------------------------------------------------------------ */

/* Arrays may be longer than MPI's int counts. */
static PetscErrorCode broadcast(MPI_Comm comm, void *bytes, size_t n)
{
  const size_t most = (size_t)1 << 30;

  for (size_t done = 0; done < n; done += most) {
    const size_t part = n - done < most ? n - done : most;

    PetscCallMPI(MPI_Bcast((char *)bytes + done, (int)part, MPI_BYTE, 0, comm));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode share_text(MPI_Comm comm, const arguments *a, int rank, input *in)
{
  uint64_t length = in->length;

  PetscCallMPI(MPI_Bcast(&length, 1, MPI_UINT64_T, 0, comm));
  if (rank != 0) {
    in->length = length;
    PetscCall(ip_text_copy(a->operand, &in->name));
    PetscCall(IP_ALLOCATE(in->length + 1, &in->text));
  }
  PetscCall(broadcast(comm, in->text, in->length));
  return rank == 0 ? PETSC_SUCCESS : parse(a, in);
}

static PetscErrorCode share_set(MPI_Comm comm, int rank, ip_dataset **set)
{
  uint64_t shape[5] = {0};

  if (rank == 0) {
    shape[0] = (*set)->n;
    shape[1] = (*set)->d;
    shape[2] = (uint64_t)(*set)->k;
    shape[3] = (*set)->p == NULL;
    shape[4] = (*set)->beside;
  }
  PetscCallMPI(MPI_Bcast(shape, 5, MPI_UINT64_T, 0, comm));
  if (rank != 0)
    PetscCall(ip_dataset_allocate(shape[0], shape[1], (int32_t)shape[2], shape[3] != 0, set));
  (*set)->beside = shape[4];

  const ip_dataset *s = *set;

  PetscCall(broadcast(comm, s->x, s->n * s->d * sizeof *s->x));
  PetscCall(broadcast(comm, s->y, s->n * sizeof *s->y));
  if (s->p) PetscCall(broadcast(comm, s->p, s->n * (size_t)s->k * sizeof *s->p));
  return PETSC_SUCCESS;
}

PetscErrorCode input_share(MPI_Comm comm, const arguments *a, input *in)
{
  int rank;

  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(share_text(comm, a, rank, in));
  if (rank != 0) PetscCall(ip_data_create(in->options, &in->data));
  for (size_t i = 0; i < in->data->n; i++) PetscCall(share_set(comm, rank, &in->data->set[i]));
  if (rank == 0) return PETSC_SUCCESS;
  ip_data_seal(in->data);
  return ip_plan_create(in->options, in->data, &in->plan);
}
