package io.hypercalld.api.event;

import io.hypercalld.api.machine.SimNotice;
import io.hypercalld.core.domain.DomainNotice;
import io.hypercalld.core.domain.P2mNotice;
import io.hypercalld.core.kernel.KernelNotice;
import io.hypercalld.core.notice.NoticeKind;
import io.hypercalld.iommu.driver.DeviceNotice;
import io.hypercalld.iommu.driver.IommuNotice;
import io.hypercalld.iommu.virtual.ViommuNotice;
import io.hypercalld.ioreq.server.IoreqNotice;
import java.util.List;
import java.util.stream.Stream;

/** Every type of event there is. */
public final class EventTypes {
  private static final List<NoticeKind> ALL =
      Stream.<NoticeKind[]>of(
              DomainNotice.values(),
              P2mNotice.values(),
              DeviceNotice.values(),
              IommuNotice.values(),
              ViommuNotice.values(),
              IoreqNotice.values(),
              KernelNotice.values(),
              SimNotice.values())
          .flatMap(Stream::of)
          .toList();

  private EventTypes() {}

  /** All that a machine publishes, in the order of documentation. */
  public static List<NoticeKind> all() {
    return ALL;
  }
}
