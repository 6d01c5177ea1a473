package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What Xen checks of every dm_op before it looks at the operation. Confined to the machine thread.
 */
public final class DeviceModelFrames {
  private static final int MOST_BUFFERS = 2;
  private static final int HEADER_BYTES = 8;

  /** Bytes that follow the header, by the operation's number; negative where there is none. */
  private static final int[] PAYLOAD_BYTES = {
    -1, 6, 24, 24, 24, 4, 4, 16, 6, 2, 2, 8, 16, 24, 16, 16, 4, 24, 24, -1, 4
  };

  private final DomainTable domains;
  private final Targets targets;

  public DeviceModelFrames(DomainTable domains) {
    this.domains = domains;
    this.targets = new Targets(domains);
  }

  /** See {@link FramedDeviceModelOp}. */
  public Outcome framed(DomainId caller, FramedDeviceModelOp args) {
    requireBuffers(args);
    targets.modelled(domains.caller(caller), args.domid());
    byte[] first = args.bufs().getFirst().toByteArray();
    if (first.length < HEADER_BYTES) {
      throw Refusal.of(Errno.EFAULT, "%d bytes hold no header", first.length);
    }
    ByteBuffer header = ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN);
    int op = header.getInt();
    if (Integer.compareUnsigned(op, PAYLOAD_BYTES.length) >= 0 || PAYLOAD_BYTES[op] < 0) {
      throw Refusal.of(Errno.EOPNOTSUPP, "there is no dm_op %s", Integer.toUnsignedString(op));
    }
    if (first.length < HEADER_BYTES + PAYLOAD_BYTES[op]) {
      throw Refusal.of(
          Errno.EFAULT, "dm_op %d takes %d bytes", op, HEADER_BYTES + PAYLOAD_BYTES[op]);
    }
    if (header.getInt() != 0) {
      throw Refusal.of(Errno.EINVAL, "the header's padding is not 0");
    }
    throw Refusal.of(Errno.ENOSYS, "dm_op %d is executed by its name", op);
  }

  private static void requireBuffers(FramedDeviceModelOp args) {
    long count = args.nrBufs().orElse((long) args.bufs().size());
    if (count == 0) {
      throw Refusal.of(Errno.ENODATA, "there is no buffer");
    }
    if (count > MOST_BUFFERS) {
      throw Refusal.of(Errno.E2BIG, "%d buffers are more than %d", count, MOST_BUFFERS);
    }
    if (count > args.bufs().size()) {
      throw Refusal.of(Errno.EFAULT, "%d of %d buffers are there", args.bufs().size(), count);
    }
  }
}
