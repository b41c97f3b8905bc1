import { MemoryStore } from '#store';
import { objectStoreContract } from '../contract/object-store.ts';

objectStoreContract('MemoryStore', async () => new MemoryStore());
