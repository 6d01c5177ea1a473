package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Kind;
import io.hypercalld.core.state.MemoryModel.Page;
import io.hypercalld.core.state.MemoryModel.Role;
import java.util.List;
import java.util.Objects;

/** A monitor that restricts pages: {@code access_op}. */
final class Monitoring {
  private static final long READ = 1;
  private static final long READ_EXECUTE = 5;
  private static final long ALL = 7;
  private static final long READ_WRITE = 3;
  private static final long ALL_BUT_FIRST_WRITE = 8;
  private static final long NONE_AT_FIRST = 9;
  private static final List<Long> ACCESSES =
      List.of(READ, READ_EXECUTE, ALL, ALL_BUT_FIRST_WRITE, NONE_AT_FIRST);
  private static final int ENODEV = -19;
  private static final int ESRCH = -3;

  private final Scene scene;

  Monitoring(Scene scene) {
    this.scene = scene;
  }

  List<Operation> operations() {
    return List.of(this::restrict, this::restrict, this::get, this::touch, this::touch);
  }

  private void restrict(Guest guest) {
    long gfn = scene.gfn(guest);
    long access = scene.oneOf(ACCESSES);
    if (gfn > scene.host.domain(guest.id).p2m().maxMappedGfn().value()) {
      return;
    }

    long ret = scene.host.types.restrict(guest.id, gfn, access);

    assertThat(ret).isEqualTo(guest.role == Role.MONITORED ? 0 : ENODEV);
    if (ret == 0 && guest.pages.containsKey(gfn)) {
      setAccess(guest, gfn, access);
      scene.took(access != ALL, Effect.RESTRICT);
    }
  }

  private static void setAccess(Guest guest, long gfn, long access) {
    if (access == ALL) {
      guest.accesses.remove(gfn);
    } else {
      guest.accesses.put(gfn, access);
    }
  }

  private void get(Guest guest) {
    long gfn = scene.gfn(guest);
    boolean mapped = gfn <= scene.host.domain(guest.id).p2m().maxMappedGfn().value();
    if (guest.role == Role.MONITORED && mapped) {
      long expected = guest.pages.containsKey(gfn) ? guest.accesses.getOrDefault(gfn, ALL) : ESRCH;
      assertThat(scene.host.types.accessOf(guest.id, gfn)).isEqualTo(expected);
    }
  }

  /** A write to a restricted page: let through and noted, or reported to the monitor. */
  private void touch(Guest guest) {
    if (guest.accesses.isEmpty()) {
      return;
    }
    long gfn = scene.oneOf(guest.accesses.keySet().stream().sorted().toList());
    Page page = Objects.requireNonNull(guest.pages.get(gfn));
    long access = Objects.requireNonNull(guest.accesses.get(gfn));
    long stamp = scene.newStamp();

    Verdict verdict = write(guest, gfn, stamp);

    if (access == READ || access == READ_EXECUTE) {
      assertThat(verdict).isEqualTo(Verdict.PENDING);
      assertThat(scene.host.types.restrict(guest.id, gfn, ALL)).isZero();
      scene.host.answer(guest.id);
      verdict = write(guest, gfn, stamp);
      scene.took(true, Effect.REPORT_TO_THE_MONITOR);
    } else {
      scene.host.answer(guest.id);
      verdict = verdict == Verdict.RETRY ? write(guest, gfn, stamp) : verdict;
      scene.took(true, Effect.LIFT_A_RESTRICTION);
    }
    boolean fetchable = access != ALL_BUT_FIRST_WRITE && access != READ_WRITE;
    setAccess(guest, gfn, fetchable ? ALL : READ_WRITE);
    boolean writable = page.kind() == Kind.RAM;
    assertThat(verdict).isEqualTo(writable ? Verdict.DONE : Verdict.DISCARDED);
    if (writable) {
      page.frame().stamp = stamp;
    }
  }

  private Verdict write(Guest guest, long gfn, long stamp) {
    return scene.host.access(guest.id, GuestRequest.Operation.WRITE, gfn, stamp).outcome();
  }
}
