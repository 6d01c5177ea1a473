package io.hypercalld.core.interrupt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LocalApicsTest {
  private final LocalApics apics = new LocalApics(4, () -> 4, index -> 2 * index);

  private static Interrupt logical(int destination) {
    return new Interrupt(0x41, DeliveryMode.FIXED, true, false, destination, false);
  }

  private static Interrupt lowestPriority(int destination) {
    return new Interrupt(0x41, DeliveryMode.LOWEST_PRIORITY, true, true, destination, false);
  }

  private LocalApic apic(int index) {
    return apics.find(index).orElseThrow();
  }

  @Test
  void message_compatibilityFormat_isTakenApart() {
    assertThat(Interrupt.ofMessage(0xfee0_600cL, 0x8141, DestinationFormat.PLAIN))
        .contains(new Interrupt(0x41, DeliveryMode.LOWEST_PRIORITY, true, true, 6, true));
  }

  @Test
  void message_reservedDeliveryMode_meansNothing() {
    assertThat(Interrupt.ofMessage(0xfee0_0000L, 0x341, DestinationFormat.PLAIN)).isEmpty();
  }

  @Test
  void deliver_physical_reachesTheIdAlone() {
    assertThat(apics.deliver(Interrupt.fixed(0x41).to(4))).containsExactly(2);

    assertThat(apic(2).irr()).containsExactly(0x41);
    assertThat(apic(1).irr()).isEmpty();
  }

  @Test
  void deliver_broadcast_reachesEveryEnabledOne() {
    apic(1).setMode(LocalApic.Mode.DISABLED);

    assertThat(apics.deliver(Interrupt.fixed(0x41).to(0xff))).containsExactly(0, 2, 3);
  }

  @ParameterizedTest
  @CsvSource({"0x01, 0", "0x0c, 2 3", "0x10, ''"})
  void destinations_flat_areTheSharedBits(String destination, String expected) {
    assertThat(apics.destinations(logical(Integer.decode(destination)))).isEqualTo(list(expected));
  }

  @ParameterizedTest
  @CsvSource({"0x11, 0", "0x13, 0 1", "0x21, 2", "0x31, ''"})
  void destinations_cluster_areTheSharedBitsOfTheCluster(String destination, String expected) {
    apic(0).setLogicalId(0x11, LocalApic.Model.CLUSTER);
    apic(1).setLogicalId(0x12, LocalApic.Model.CLUSTER);
    apic(2).setLogicalId(0x21, LocalApic.Model.CLUSTER);
    apic(3).setMode(LocalApic.Mode.DISABLED);

    assertThat(apics.destinations(logical(Integer.decode(destination)))).isEqualTo(list(expected));
  }

  @Test
  void destinations_x2apic_areDerivedFromTheId() {
    LocalApics wide = new LocalApics(1, () -> 1, _ -> 0x12345);
    LocalApic apic = wide.find(0).orElseThrow();

    assertThat(apic.mode()).isEqualTo(LocalApic.Mode.X2APIC);
    assertThat(apic.logicalId()).isEqualTo(0x1234_0020);
    assertThat(wide.destinations(logical(0x1234_0030))).containsExactly(0);
    assertThat(wide.destinations(logical(0x1235_0020))).isEmpty();
    assertThat(wide.destinations(Interrupt.fixed(0x41).to(-1))).containsExactly(0);
    assertThat(wide.destinations(Interrupt.fixed(0x41).to(0xff))).isEmpty();
  }

  @Test
  void deliver_lowestPriorityAmongEquals_takesTurns() {
    assertThat(apics.deliver(lowestPriority(0x0b))).containsExactly(0);
    assertThat(apics.deliver(lowestPriority(0x0b))).containsExactly(1);
    assertThat(apics.deliver(lowestPriority(0x0b))).containsExactly(3);
    assertThat(apics.deliver(lowestPriority(0x0b))).containsExactly(0);
  }

  @Test
  void deliver_lowestPriority_prefersTheIdleProcessor() {
    apic(0).setTaskPriority(0x50);
    apic(1).setTaskPriority(0x20);

    assertThat(apics.deliver(lowestPriority(0x03))).containsExactly(1);
  }

  @Test
  void acknowledge_requestedVectors_areServedByPriority() {
    apics.deliver(Interrupt.fixed(0x31).to(0));
    apics.deliver(Interrupt.fixed(0x55).to(0));

    assertThat(apic(0).acknowledge()).hasValue(0x55);
    assertThat(apic(0).pending()).isEmpty();
    assertThat(apic(0).endOfInterrupt()).hasValue(0x55);
    assertThat(apic(0).acknowledge()).hasValue(0x31);
  }

  @Test
  void pending_belowTheTaskPriority_isHeldBack() {
    apic(0).setTaskPriority(0x40);
    apics.deliver(Interrupt.fixed(0x41).to(0));

    assertThat(apic(0).pending()).isEqualTo(OptionalInt.empty());
    assertThat(apic(0).irr()).containsExactly(0x41);
  }

  @Test
  void deliver_exceptionVector_isDropped() {
    apics.deliver(Interrupt.fixed(0x0f).to(0));

    assertThat(apic(0).irr()).isEmpty();
  }

  @Test
  void deliver_nmi_isCountedAndHasNoVector() {
    apics.deliver(new Interrupt(0x41, DeliveryMode.NMI, false, false, 0, false));

    assertThat(apic(0).arrivals()).containsEntry(DeliveryMode.NMI, 1L);
    assertThat(apic(0).irr()).isEmpty();
  }

  private static List<Integer> list(String text) {
    return text.isEmpty()
        ? List.of()
        : List.of(text.split(" ")).stream().map(Integer::valueOf).toList();
  }
}
