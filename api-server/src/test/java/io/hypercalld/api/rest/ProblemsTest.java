package io.hypercalld.api.rest;

import static io.hypercalld.core.errno.Errno.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.errno.Errno;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ProblemsTest {
  /** The table of the contract. */
  private static final Map<Integer, List<Errno>> CONTRACT =
      Map.of(
          422, List.of(EINVAL, ERANGE, EOVERFLOW, EFAULT, EDOM, EILSEQ, ENODATA),
          403, List.of(EPERM, EACCES, EROFS),
          404, List.of(ESRCH, ENODEV, ENXIO, ENOENT, EBADF),
          409, List.of(EBUSY, EEXIST, EXDEV, ENOTEMPTY, EDEADLK, EISCONN, EADDRINUSE),
          413, List.of(E2BIG, EMSGSIZE),
          501, List.of(ENOSYS, EOPNOTSUPP),
          503, List.of(EAGAIN, ERESTART),
          504, List.of(ETIME, ETIMEDOUT),
          507, List.of(ENOMEM, ENOSPC, ENOBUFS));

  @Test
  void errno_ofTheContract_hasItsStatus() {
    CONTRACT.forEach(
        (status, errnos) ->
            assertThat(errnos)
                .as("%d", status)
                .allSatisfy(errno -> assertThat(Problems.of(errno).status()).isEqualTo(status)));
  }

  @ParameterizedTest
  @EnumSource(Errno.class)
  void errno_any_hasATypeOfItsOwn(Errno errno) {
    ProblemType type = Problems.of(errno);

    assertThat(type.status()).isBetween(400, 599);
    assertThat(Problems.all()).filteredOn(other -> other.name().equals(type.name())).hasSize(1);
  }

  @Test
  void type_any_isPlainlyNamed() {
    assertThat(Problems.all())
        .allSatisfy(
            type -> {
              assertThat(type.name()).matches("[a-z]+(-[a-z]+)*");
              assertThat(type.title()).isNotBlank().doesNotEndWith(".");
            });
  }
}
