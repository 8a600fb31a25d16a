// Asks once and leaves its client open: the process is to end all the same.
import { createServiceClient, staticRegistry } from 'fairlead';
import { undiciTransport } from 'fairlead/undici';

const client = createServiceClient({
  service: 'users',
  registry: staticRegistry([process.argv[2]!]),
  transport: undiciTransport(),
});
process.send!(await (await client.fetch('/')).text());
