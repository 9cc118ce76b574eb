import { Arena } from '../bytes/arena';
import { span } from '../bytes/span';
import { Environment } from '../config/environment';
import { environ_get, environ_sizes_get } from '../wasi_snapshot_preview1';
import { OUT_DATA, OUT_LENGTH } from './status';

export function environment(arena: Arena): Environment {
  environ_sizes_get(OUT_DATA, OUT_LENGTH);
  const count = load<usize>(OUT_DATA);
  const size = load<usize>(OUT_LENGTH);
  const data = arena.allocate(size);
  environ_get(arena.allocate(count * 4), data);
  return span(data, size as u32);
}
