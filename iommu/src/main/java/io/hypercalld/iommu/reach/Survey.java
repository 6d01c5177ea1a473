package io.hypercalld.iommu.reach;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.interrupt.LocalApic.Mode;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The maps of an HVM or PVH domain as it is now, each made once, and what guests make of them.
 * Confined to the machine thread, and to one command.
 */
public final class Survey {
  private final Domain domain;
  private final Map<Mode, Reachability> maps = new EnumMap<>(Mode.class);

  public Survey(Domain domain) {
    this.domain = domain;
  }

  Domain domain() {
    return domain;
  }

  /** See {@link Reachability#of}. */
  public Reachability map(Mode mode) {
    return maps.computeIfAbsent(mode, wanted -> Reachability.of(domain, wanted));
  }

  /** How far each guest boots. */
  public List<BootReport> boots() {
    return Arrays.stream(GuestRules.values()).map(rules -> new Boot(rules, this).run()).toList();
  }
}
