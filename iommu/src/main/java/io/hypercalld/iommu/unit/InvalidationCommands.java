package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.Invalidation;

/**
 * Carries out what descriptors ask for, whatever remembers it: the unit's caches or a device.
 * Confined to the machine thread.
 */
final class InvalidationCommands {
  private final UnitCounters counters;
  private final UnitObserver observer;
  private final TranslationCaches caches;
  private final InterruptCache interrupts;
  private final Endpoints endpoints;

  InvalidationCommands(
      Circuit circuit, TranslationCaches caches, InterruptCache interrupts, Endpoints endpoints) {
    this.counters = circuit.counters();
    this.observer = circuit.observer();
    this.caches = caches;
    this.interrupts = interrupts;
    this.endpoints = endpoints;
  }

  void carryOut(Invalidation.OfCaches command) {
    switch (command) {
      case Invalidation.OfContexts contexts -> caches.carryOut(contexts);
      case Invalidation.OfTranslations translations -> caches.carryOut(translations);
      case Invalidation.OfPasids pasids -> caches.carryOut(pasids);
      case Invalidation.OfPasidTranslations translations -> caches.carryOut(translations);
      case Invalidation.OfInterrupts entries -> {
        interrupts.carryOut(entries);
        counters.interruptInvalidations++;
      }
    }
    caches.flushWriteBuffer();
    observer.invalidated(command);
  }

  /** Has a device forget translations; one that keeps none has nothing to forget. */
  void carryOut(Invalidation.DeviceTranslations command) {
    endpoints.find(command.device()).ifPresent(device -> device.invalidate(command));
    counters.deviceTlbInvalidations++;
    observer.deviceInvalidated(command);
  }

  /** Brings a device the answer to its page requests. */
  void carryOut(Invalidation.PageGroupResponse command) {
    endpoints
        .find(command.device())
        .ifPresent(device -> device.answer(command.group(), command.code()));
    counters.pageResponses++;
  }
}
