package io.hypercalld.core.interrupt;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class InterruptCommandTest {
  @Test
  void to_xapic_carries8BitsOfTheId() {
    InterruptCommand command = InterruptCommand.to(0x11f, DeliveryMode.INIT, LocalApic.Mode.XAPIC);

    assertThat(command.value()).isEqualTo(0x1f00_0000_0000_4500L);
    assertThat(command.interrupt(LocalApic.Mode.XAPIC))
        .contains(new Interrupt(0, DeliveryMode.INIT, false, false, 0x1f, false));
  }

  @Test
  void to_x2apic_carriesAllOfTheId() {
    InterruptCommand command = InterruptCommand.to(0x11f, DeliveryMode.INIT, LocalApic.Mode.X2APIC);

    assertThat(command.interrupt(LocalApic.Mode.X2APIC).orElseThrow().destination())
        .isEqualTo(0x11f);
  }

  @Test
  void interrupt_levelThatIsOver_isNone() {
    assertThat(new InterruptCommand(0x8500).interrupt(LocalApic.Mode.XAPIC)).isEmpty();
  }

  @Test
  void destination_of15Bits_isSplitOverTheAddress() {
    long address = 0xfee0_0000L | DestinationFormat.EXTENDED.inAddress(0x7f3e);

    assertThat(address).isEqualTo(0xfee3_efe0L);
    assertThat(DestinationFormat.EXTENDED.ofAddress(address)).isEqualTo(0x7f3e);
    assertThat(DestinationFormat.PLAIN.ofAddress(address)).isEqualTo(0x3e);
    assertThat(DestinationFormat.PLAIN.inAddress(0x7f3e)).isEqualTo(0x3e000);
    assertThat(DestinationFormat.EXTENDED.ofEntry(DestinationFormat.EXTENDED.inEntry(0x7f3e)))
        .isEqualTo(0x7f3e);
  }
}
