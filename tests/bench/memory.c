/* The program as it is, which writes down how much memory it has: linked with its main, and with these
   before the functions of the same name.  To the file IP_BENCH_MEMORY.RANK, one line each, KiB:

       runs N  VmRSS VmHWM Private_Dirty      when run number 1, 10, 100, ... of this rank is stored
       most 0  VmRSS VmHWM Private_Dirty      the most of each when it ends

   Private_Dirty is looked at after each call of the estimators (of the first thousand), where all that a
   run needs is there. */

#include "resident.h"
#include <infoplane/estimator.h>
#include <infoplane/store.h>

enum { LOOKED_AT = 1000 };

static resident most;
static long estimates, stored;

static void keep(const char *what, long number, const resident *r)
{
  const char *path = getenv("IP_BENCH_MEMORY"), *rank = getenv("OMPI_COMM_WORLD_RANK");
  char name[4096];

  if (!path) return;
  snprintf(name, sizeof name, "%s.%s", path, rank ? rank : "0");

  FILE *file = fopen(name, "ae");

  if (!file) return;
  fprintf(file, "%s %ld %ld %ld %ld\n", what, number, r->resident, r->most, r->private);
  fclose(file);
}

static resident look(void)
{
  const resident r = resident_now();

  if (r.resident > most.resident) most.resident = r.resident;
  if (r.most > most.most) most.most = r.most;
  if (r.private > most.private) most.private = r.private;
  return r;
}

__attribute__((destructor)) static void end(void)
{
  if (estimates > 0) keep("most", 0, &most); /* not the process that was only asked for help */
}

static bool is_power_of_ten(long n)
{
  while (n > 1 && n % 10 == 0) n /= 10;
  return n == 1;
}

PetscErrorCode __real_ip_estimate(const ip_layer *layer, size_t n,
                                  const ip_column *const column[], ip_workspace *work,
                                  ip_information out[]);
PetscErrorCode __wrap_ip_estimate(const ip_layer *layer, size_t n,
                                  const ip_column *const column[], ip_workspace *work,
                                  ip_information out[]);
PetscErrorCode __wrap_ip_estimate(const ip_layer *layer, size_t n,
                                  const ip_column *const column[], ip_workspace *work,
                                  ip_information out[])
{
  const PetscErrorCode code = __real_ip_estimate(layer, n, column, work, out);

  if (estimates++ < LOOKED_AT) look();
  return code;
}

PetscErrorCode __real_ip_store_put(void *store, const ip_record *record);
PetscErrorCode __wrap_ip_store_put(void *store, const ip_record *record);
PetscErrorCode __wrap_ip_store_put(void *store, const ip_record *record)
{
  const PetscErrorCode code = __real_ip_store_put(store, record);

  if (is_power_of_ten(++stored)) {
    const resident r = look();

    keep("runs", stored, &r);
  }
  return code;
}
