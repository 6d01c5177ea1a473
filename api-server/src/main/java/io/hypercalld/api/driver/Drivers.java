package io.hypercalld.api.driver;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;

/** Has drivers do their work. */
public final class Drivers {
  private static final int MOST_PAGES = 64;

  private Drivers() {}

  /**
   * Runs a driver's script in a domain, to its end or to the first step that is refused. What it
   * did until then stays done.
   *
   * @throws Refusal EINVAL for other than 1 to 64 pages; ENODEV where it needs a device; ESRCH
   *     where nobody is served; as the boot of the kernel. Nothing changed
   */
  public static DriverReport run(DriverHost host, Domain domain, DriverScript script) {
    if (script.pages() < 1 || script.pages() > MOST_PAGES) {
      throw Refusal.of(Errno.EINVAL, "a request has 1 to %d pages", MOST_PAGES);
    }
    if (script.driver().hasDevice() && script.device().isEmpty()) {
      throw Refusal.of(Errno.ENODEV, "a %s driver needs a device", script.driver());
    }
    DriverRun run = new DriverRun(host, domain, script);
    try {
      return run.report(arrives(run));
    } catch (DriverRun.Failed end) {
      return run.report(false);
    }
  }

  private static boolean arrives(DriverRun run) {
    return switch (run.script().driver()) {
      case DISK -> OwnDevices.disk(run);
      case NIC -> OwnDevices.card(run);
      case BLKBACK -> BackEnds.block(run);
      case NETBACK_FLIP -> BackEnds.flip(run);
      case NETBACK_COPY -> BackEnds.copy(run);
      case IDE -> OldDevices.disk(run);
      case GART -> OldDevices.aperture(run);
      case VGA -> OldDevices.screen(run, OldDevices.VGA);
      case CONSOLE -> OldDevices.screen(run, OldDevices.TEXT);
    };
  }
}
