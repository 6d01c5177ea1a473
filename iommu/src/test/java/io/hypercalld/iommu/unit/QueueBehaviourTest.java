package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.DOMAIN;
import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.allContexts;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.allTranslations;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.deviceContexts;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.deviceTranslations;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.domainTranslations;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.pageTranslations;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.waitWithInterrupt;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.waitWithStatus;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.EventControl;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.QueueError;
import io.hypercalld.iommu.vtd.Register;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The invalidation queue: spec/vtd.md 7.7. */
final class QueueBehaviourTest {
  private static final long STATUS = 0x30_0000L;

  private static boolean stopped(SimulatedUnit it) {
    return FaultStatus.IQE.isSet(it.status());
  }

  private static void clearError(SimulatedUnit it) {
    it.unit.write32(Register.FSTS.offset(), (int) FaultStatus.IQE.mask());
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 0xf})
  void b104b105_unknownType_stopsTheQueueUntilRepaired(long type) {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);
      QueueSoftware queue = new QueueSoftware(it, 0);

      queue.submit(
          allContexts(),
          waitWithStatus(STATUS, 1),
          waitWithStatus(STATUS + 4, 2),
          new InvalidationDescriptor(type, 0),
          allTranslations(),
          waitWithStatus(STATUS + 8, 3));

      assertThat(stopped(it)).isTrue();
      assertThat(queue.head()).isEqualTo(0x30);
      assertThat(queue.error()).isEqualTo(3);
      assertThat(it.unit.contextCache()).isEmpty();
      assertThat(it.unit.iotlb()).hasSize(1);
      assertThat(it.memory.readInt(STATUS + 4)).isEqualTo(2);
      assertThat(it.memory.readInt(STATUS + 8)).isZero();
      assertThat(it.unit.queue().error()).contains(QueueError.DESCRIPTOR_TYPE_INVALID);

      queue.put(3, waitWithStatus(STATUS + 12, 4));
      clearError(it);

      assertThat(queue.head()).isEqualTo(0x60);
      assertThat(queue.error()).isZero();
      assertThat(it.unit.iotlb()).isEmpty();
      assertThat(it.memory.readInt(STATUS + 8)).isEqualTo(3);
      assertThat(it.memory.readInt(STATUS + 12)).isEqualTo(4);
    }
  }

  @Test
  void errorNotRepaired_comesBackWhenCleared() {
    try (var it = SimulatedUnit.on()) {
      QueueSoftware queue = new QueueSoftware(it, 0);
      queue.submit(new InvalidationDescriptor(0, 0));

      clearError(it);

      assertThat(stopped(it)).isTrue();
      assertThat(queue.head()).isZero();
      assertThat(it.unit.counters().queueErrors(QueueError.DESCRIPTOR_TYPE_INVALID)).isEqualTo(2);
    }
  }

  @Test
  void b106_tailMovedWhileStopped_isAcceptedAndNotFetched() {
    try (var it = SimulatedUnit.on()) {
      QueueSoftware queue = new QueueSoftware(it, 0);
      queue.submit(new InvalidationDescriptor(0, 0));

      queue.submit(waitWithStatus(STATUS, 1));

      assertThat(it.unit.read64(Register.IQT.offset())).isEqualTo(0x20);
      assertThat(queue.head()).isZero();
      assertThat(it.memory.readInt(STATUS)).isZero();
    }
  }

  @Test
  void b107_tailBeyondTheRing_isAnError() {
    try (var it = SimulatedUnit.on()) {
      QueueSoftware queue = new QueueSoftware(it, 0);

      it.unit.write64(Register.IQT.offset(), 0x1000);

      assertThat(stopped(it)).isTrue();
      assertThat(queue.error()).isEqualTo(1);
    }
  }

  @Test
  void b108_reservedBit_isAnError() {
    try (var it = SimulatedUnit.on()) {
      QueueSoftware queue = new QueueSoftware(it, 0);

      queue.submit(new InvalidationDescriptor(allContexts().lo() | 1 << 6, 0));

      assertThat(queue.error()).isEqualTo(4);
    }
  }

  @Test
  void b109_addressMaskBeyondMamv_isAnErrorAndDropsNothing() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);
      QueueSoftware queue = new QueueSoftware(it, 0);

      queue.submit(pageTranslations(DOMAIN, 0, 19, false));

      assertThat(queue.error()).isEqualTo(4);
      assertThat(it.unit.iotlb()).hasSize(1);
    }
  }

  @Test
  void b110_waitBehindInvalidations_reportsAfterThem() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);
      QueueSoftware queue = new QueueSoftware(it, 0);

      queue.submit(
          deviceContexts(DOMAIN, X, 0), domainTranslations(DOMAIN), waitWithStatus(STATUS, 7));

      assertThat(it.memory.readInt(STATUS)).isEqualTo(7);
      assertThat(it.unit.iotlb()).isEmpty();
      assertThat(it.unit.contextCache()).isEmpty();
      assertThat(it.unit.counters().waits()).isEqualTo(1);
    }
  }

  @Test
  void b111_completionEvent_comesOncePerClearedFlag() {
    try (var it = SimulatedUnit.on()) {
      it.unit.write32(Register.IEDATA.offset(), 0x32);
      it.unit.write32(Register.IEADDR.offset(), 0xfee0_2000);
      it.unit.write32(Register.IECTL.offset(), 0);
      QueueSoftware queue = new QueueSoftware(it, 0);

      queue.submit(waitWithInterrupt(), waitWithInterrupt());
      assertThat(it.unit.read32(Register.ICS.offset())).isEqualTo(1);
      assertThat(it.messages).containsExactly(InterruptMessage.written(0xfee0_2000L, 0x32));

      it.unit.write32(Register.ICS.offset(), 1);
      queue.submit(waitWithInterrupt());
      assertThat(it.messages).hasSize(2);
    }
  }

  @Test
  void completionClearedWhileMasked_losesItsMessage() {
    try (var it = SimulatedUnit.on()) {
      new QueueSoftware(it, 0).submit(waitWithInterrupt());
      assertThat(EventControl.IP.isSet(it.unit.read32(Register.IECTL.offset()))).isTrue();

      it.unit.write32(Register.ICS.offset(), 1);

      it.unit.write32(Register.IECTL.offset(), 0);
      assertThat(it.messages).isEmpty();
    }
  }

  @Test
  void b112_deviceTlbDescriptor_isUnknownWithoutDeviceTlbs() {
    try (var it = SimulatedUnit.on()) {
      QueueSoftware queue = new QueueSoftware(it, 0);

      queue.submit(deviceTranslations(X, 0, 52));

      assertThat(queue.error()).isEqualTo(3);
    }
  }

  @Test
  void b113_wholeRing_isWorkedOffAndWrapsAround() {
    try (var it = SimulatedUnit.on()) {
      QueueSoftware queue = new QueueSoftware(it, 0);
      InvalidationDescriptor[] most = new InvalidationDescriptor[255];
      java.util.Arrays.fill(most, domainTranslations(DOMAIN));

      queue.submit(most);
      assertThat(queue.head()).isEqualTo(0xff0);
      queue.submit(waitWithStatus(STATUS, 1), waitWithStatus(STATUS, 2));

      assertThat(queue.head()).isEqualTo(0x10);
      assertThat(it.memory.readInt(STATUS)).isEqualTo(2);
    }
  }

  @Test
  void b114_queuesOfTwoUnits_areIndependent() {
    try (var stuck = SimulatedUnit.on();
        var free = SimulatedUnit.on()) {
      new QueueSoftware(stuck, 0).submit(new InvalidationDescriptor(0, 0));

      new QueueSoftware(free, 0).submit(waitWithStatus(STATUS, 1));

      assertThat(free.memory.readInt(STATUS)).isEqualTo(1);
      assertThat(free.status()).isZero();
    }
  }

  @Test
  void b115_registerCommandsUnderTheQueue_doNothing() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);
      QueueSoftware queue = new QueueSoftware(it, 0);

      it.contextCommand(ContextCommand.global());
      it.iotlbCommand(IotlbCommand.global());

      long context = it.unit.read64(Register.CCMD.offset());
      long iotlb = it.unit.read64(it.unit.capabilities().iotlbOffset());
      assertThat(ContextCommand.ICC.isSet(context)).isFalse();
      assertThat(ContextCommand.CAIG.get(context)).isZero();
      assertThat(IotlbCommand.IAIG.get(iotlb)).isZero();
      assertThat(it.unit.iotlb()).hasSize(1);
      assertThat(queue.head()).isZero();
    }
  }

  @Test
  void wideDescriptors_areIllegalHere() {
    try (var it = SimulatedUnit.on()) {
      it.unit.write64(
          Register.IQA.offset(),
          InvalidationQueueFields.DW.set(InvalidationQueueFields.ring(0x200_0000, 0)));
      it.command(GlobalCommand.QIE, true);

      it.unit.write64(Register.IQT.offset(), 0x20);

      assertThat(it.unit.queue().error()).contains(QueueError.DESCRIPTOR_WIDTH_INVALID);
    }
  }

  @Test
  void ringOutsideMemory_cannotBeFetched() {
    try (var it = SimulatedUnit.on()) {
      it.unit.write64(
          Register.IQA.offset(), InvalidationQueueFields.ring(SimulatedUnit.BEYOND_RAM, 0));
      it.command(GlobalCommand.QIE, true);

      it.unit.write64(Register.IQT.offset(), 0x10);

      assertThat(it.unit.queue().error()).contains(QueueError.DESCRIPTOR_UNREADABLE);
    }
  }

  @Test
  void statusOutsideMemory_stopsTheQueue() {
    try (var it = SimulatedUnit.on()) {
      QueueSoftware queue = new QueueSoftware(it, 0);

      queue.submit(waitWithStatus(SimulatedUnit.BEYOND_RAM, 1));

      assertThat(stopped(it)).isTrue();
      assertThat(queue.head()).isZero();
    }
  }

  @Test
  void waitWithNeitherFlag_isNothing() {
    try (var it = SimulatedUnit.on()) {
      QueueSoftware queue = new QueueSoftware(it, 0);

      queue.submit(new InvalidationDescriptor(5, 0));

      assertThat(queue.head()).isEqualTo(0x10);
      assertThat(it.status()).isZero();
    }
  }

  @Test
  void queueError_isAFaultEvent() {
    try (var it = SimulatedUnit.on()) {
      it.unit.write32(Register.FECTL.offset(), 0);

      new QueueSoftware(it, 0).submit(new InvalidationDescriptor(0, 0));

      assertThat(it.messages).hasSize(1);
    }
  }
}
