package io.hypercalld.iommu.virtual;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.iommu.driver.NestedContext;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.vtd.Invalidation;
import java.util.List;

/**
 * Passes a guest's commands on that concern first-level tables, which the machine's units walk
 * themselves: under the domain-ids and to the devices that these know. Immutable.
 *
 * @see "VT-d §6.5.2.4 to §6.5.2.6"
 */
record FirstLevelCommands(
    Domain domain, VtdDriver driver, ShadowSpaces spaces, ShadowCounters counters) {
  void passOn(Invalidation command) {
    switch (command) {
      case Invalidation.PasidTranslations first -> forget(first, first.domainId());
      case Invalidation.PasidPageTranslations first -> forget(first, first.domainId());
      case Invalidation.AllTranslations _ ->
          spaces.nestings().values().forEach(NestedContext::forget);
      case Invalidation.DomainTranslations(int domainId) ->
          spaces.ofDomainId(domainId).forEach(NestedContext::forget);
      case Invalidation.PageTranslations second ->
          spaces.ofDomainId(second.domainId()).forEach(NestedContext::forget);
      case Invalidation.DeviceTranslations devices -> forget(devices);
      case Invalidation.OfContexts _,
          Invalidation.OfPasids _,
          Invalidation.OfInterrupts _,
          Invalidation.PageGroupResponse _,
          Invalidation.Wait _,
          Invalidation.Malformed _ -> {}
    }
  }

  private void forget(Invalidation.OfPasidTranslations command, int domainId) {
    List<NestedContext> concerned = spaces.ofDomainId(domainId);
    if (!concerned.isEmpty()) {
      counters.count(SyncTrigger.FIRST_LEVEL, 0);
      concerned.forEach(context -> context.forget(command));
    }
  }

  private void forget(Invalidation.DeviceTranslations command) {
    driver.devices().ownedBy(domain.id()).stream()
        .filter(device -> Shadows.seenAs(device).filter(command.device()::equals).isPresent())
        .forEach(device -> driver.ioContexts().forget(device, command));
  }
}
