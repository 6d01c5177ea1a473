package io.hypercalld.ioreq.page;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.ignored;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.memory.MachineMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * {@code buffered_iopage_t}: requests that nobody waits for, in a ring that fills a page. Confined
 * to the machine thread.
 *
 * <pre>
 *      0  write_pointer[63:32]                                 read_pointer[31:0]
 *      8  511 slots:  data[63:32]  addr[31:12] size[11:10] dir[9] -[8] type[7:0]
 * </pre>
 *
 * <p>The pointers run freely and name the slot of their remainder by 511. A request of 8 bytes
 * takes two slots, the second with the upper half of the data.
 *
 * @see "xen/include/public/hvm/ioreq.h, struct buf_ioreq; xen/common/ioreq.c, ioreq_send_buffered"
 */
public final class BufferedRing {
  /** {@code IOREQ_BUFFER_SLOT_NUM}. */
  public static final int SLOTS = 511;

  static final BitField READ_POINTER = bits("read_pointer", 31, 0);
  static final BitField WRITE_POINTER = bits("write_pointer", 63, 32);
  static final BitField TYPE = bits("type", 7, 0);
  static final BitField DIR = bit("dir", 9);
  static final BitField SIZE = bits("size", 11, 10);
  static final BitField ADDR = bits("addr", 31, 12);
  static final BitField DATA = bits("data", 63, 32);
  static final WordLayout POINTERS =
      WordLayout.covering("buffered.pointers", READ_POINTER, WRITE_POINTER);
  static final WordLayout SLOT =
      WordLayout.covering("buf_ioreq", TYPE, ignored(8, 8), DIR, SIZE, ADDR, DATA);

  private final MachineMemory memory;
  private final long page;

  /**
   * The ring in a page.
   *
   * @param page its machine address
   */
  public BufferedRing(MachineMemory memory, long page) {
    this.memory = memory;
    this.page = page;
  }

  /**
   * Adds a request.
   *
   * @param canonicalises whether the pointers are then brought below their largest useful values,
   *     which the emulator has to expect
   * @return whether it was added; not, where the ring is full or cannot hold such a request
   */
  public boolean send(IoRequest request, boolean canonicalises) {
    int slots = request.size() == Long.BYTES ? 2 : 1;
    if (!fits(request) || Integer.compareUnsigned(used(), SLOTS - slots + 1) >= 0) {
      return false;
    }
    int write = writePointer();
    long header =
        TYPE.of(request.type().number())
            | SIZE.of(Integer.numberOfTrailingZeros(request.size()))
            | ADDR.of(request.address());
    header |= request.flags().reads() ? DIR.mask() : 0;
    memory.writeWord(slot(write), header | DATA.of(request.data() & DATA.max()));
    if (slots == 2) {
      memory.writeWord(slot(write + 1), header | DATA.of(request.data() >>> Integer.SIZE));
    }
    setPointers(readPointer(), write + slots);
    if (canonicalises) {
      canonicalise();
    }
    return true;
  }

  private static boolean fits(IoRequest request) {
    return Long.compareUnsigned(request.address(), ADDR.max()) <= 0
        && !request.flags().pointer()
        && request.count() == 1
        && Integer.bitCount(request.size()) == 1
        && request.size() <= Long.BYTES;
  }

  private void canonicalise() {
    int read = readPointer();
    if (Integer.compareUnsigned(read, SLOTS) >= 0) {
      int whole = Integer.divideUnsigned(read, SLOTS) * SLOTS;
      setPointers(read - whole, writePointer() - whole);
    }
  }

  /** Slots between the pointers; more than there are where the emulator moved one at will. */
  public int used() {
    return writePointer() - readPointer();
  }

  public int readPointer() {
    return (int) READ_POINTER.get(memory.readWord(page));
  }

  public int writePointer() {
    return (int) WRITE_POINTER.get(memory.readWord(page));
  }

  /** The requests between the pointers, oldest first; none where the pointers make no sense. */
  public List<IoRequest> waiting() {
    List<IoRequest> requests = new ArrayList<>();
    int used = used();
    if (Integer.compareUnsigned(used, SLOTS) > 0) {
      return requests;
    }
    int read = readPointer();
    for (int done = 0; done < used; ) {
      Optional<IoRequest> request = at(read + done);
      request.ifPresent(requests::add);
      done += request.isPresent() && request.get().size() == Long.BYTES ? 2 : 1;
    }
    return requests;
  }

  /**
   * Takes the oldest request out, as an emulator does.
   *
   * @return empty where there is none
   */
  public Optional<IoRequest> take() {
    List<IoRequest> requests = waiting();
    if (requests.isEmpty()) {
      return Optional.empty();
    }
    IoRequest oldest = requests.getFirst();
    setPointers(readPointer() + (oldest.size() == Long.BYTES ? 2 : 1), writePointer());
    return Optional.of(oldest);
  }

  private Optional<IoRequest> at(int pointer) {
    long word = memory.readWord(slot(pointer));
    int size = 1 << SIZE.getInt(word);
    long upper = size == Long.BYTES ? DATA.get(memory.readWord(slot(pointer + 1))) : 0;
    return RequestType.ofNumber(TYPE.getInt(word))
        .map(
            type ->
                IoRequest.single(
                    type,
                    ADDR.get(word),
                    size,
                    DIR.isSet(word),
                    DATA.get(word) | upper << Integer.SIZE));
  }

  private void setPointers(int read, int write) {
    memory.writeWord(
        page,
        READ_POINTER.of(Integer.toUnsignedLong(read))
            | WRITE_POINTER.of(Integer.toUnsignedLong(write)));
  }

  private long slot(int pointer) {
    return page + Long.BYTES + (long) Integer.remainderUnsigned(pointer, SLOTS) * Long.BYTES;
  }
}
