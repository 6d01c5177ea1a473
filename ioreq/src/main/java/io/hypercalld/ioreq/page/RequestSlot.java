package io.hypercalld.ioreq.page;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.ignored;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.memory.MachineMemory;

/**
 * {@code ioreq_t}: the place of a vCPU's request in the page that it shares with an emulator, 32
 * bytes. Confined to the machine thread.
 *
 * <pre>
 *    0  addr
 *    8  data
 *   16  size[63:32]                                            count[31:0]
 *   24  type[63:56] -[55] df[54] dir[53] data_is_ptr[52] state[51:48] pad[47:32] vp_eport[31:0]
 * </pre>
 *
 * <p>The emulator may write any of it at any time: what is read back is judged by whoever reads.
 *
 * @see "xen/include/public/hvm/ioreq.h, struct ioreq"
 */
public final class RequestSlot {
  /** Bytes of a slot. */
  public static final int BYTES = 32;

  /** {@code STATE_IOREQ_NONE}: no request. */
  public static final int NONE = 0;

  /** {@code STATE_IOREQ_READY}: the emulator's turn. */
  public static final int READY = 1;

  /** {@code STATE_IOREQ_INPROCESS}: the emulator is at it. */
  public static final int INPROCESS = 2;

  /** {@code STATE_IORESP_READY}: the hypervisor's turn. */
  public static final int RESP_READY = 3;

  static final BitField COUNT = bits("count", 31, 0);
  static final BitField SIZE = bits("size", 63, 32);
  static final BitField VP_EPORT = bits("vp_eport", 31, 0);
  static final BitField STATE = bits("state", 51, 48);
  static final BitField DATA_IS_PTR = bit("data_is_ptr", 52);
  static final BitField DIR = bit("dir", 53);
  static final BitField DF = bit("df", 54);
  static final BitField TYPE = bits("type", 63, 56);
  static final WordLayout EXTENT = WordLayout.covering("ioreq.count", COUNT, SIZE);
  static final WordLayout CONTROL =
      WordLayout.covering(
          "ioreq.control",
          VP_EPORT,
          ignored(47, 32),
          STATE,
          DATA_IS_PTR,
          DIR,
          DF,
          ignored(55, 55),
          TYPE);

  private static final int DATA_AT = 8;
  private static final int EXTENT_AT = 16;
  private static final int CONTROL_AT = 24;

  private final MachineMemory memory;
  private final long maddr;

  /**
   * The slot at a machine address.
   *
   * @param maddr a multiple of {@link #BYTES}
   */
  public RequestSlot(MachineMemory memory, long maddr) {
    this.memory = memory;
    this.maddr = maddr;
  }

  /** The state's number, which may be none of the four. */
  public int state() {
    return STATE.getInt(control());
  }

  /** Stores a state and leaves the rest. */
  public void setState(int state) {
    memory.writeWord(maddr + CONTROL_AT, STATE.put(control(), state));
  }

  /** The port that the hypervisor notifies, and is notified on. */
  public long port() {
    return VP_EPORT.get(control());
  }

  /** Stores the port and leaves the rest. */
  public void setPort(int port) {
    memory.writeWord(maddr + CONTROL_AT, VP_EPORT.put(control(), port));
  }

  /** Whether no request is in it and the port is the one that is expected. */
  public boolean isFree(int port) {
    long control = control();
    return STATE.getInt(control) == NONE && VP_EPORT.getInt(control) == port;
  }

  public long data() {
    return memory.readWord(maddr + DATA_AT);
  }

  public void setData(long data) {
    memory.writeWord(maddr + DATA_AT, data);
  }

  /** Stores a request and leaves the port; the word that says that it is there comes last. */
  public void offer(IoRequest request) {
    memory.writeWord(maddr, request.address());
    setData(request.data());
    memory.writeWord(maddr + EXTENT_AT, COUNT.of(request.count()) | SIZE.of(request.size()));
    long control = VP_EPORT.inPlace(control()) | TYPE.of(request.type().number()) | STATE.of(READY);
    control |= request.flags().reads() ? DIR.mask() : 0;
    control |= request.flags().pointer() ? DATA_IS_PTR.mask() : 0;
    control |= request.flags().down() ? DF.mask() : 0;
    memory.writeWord(maddr + CONTROL_AT, control);
  }

  private long control() {
    return memory.readWord(maddr + CONTROL_AT);
  }
}
