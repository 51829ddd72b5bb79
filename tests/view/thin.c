/* The page of a file within fewer bytes than others may have:  thin FILE.h5 PAGE.html BYTES */

#include "report.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
  if (argc != 4) return 64;
  PetscPushErrorHandler(ip_error_handler, NULL);
  const PetscErrorCode code = report_file(argv[1], argv[2], strtoul(argv[3], NULL, 10), stdout);

  if (code != PETSC_SUCCESS) fprintf(stderr, "%s\n", ip_error_message());
  return ip_error_exit_code(code);
}
