// Creates the replica set of one member, and one user per service with access only to that service's database. Runs at
// every start: what exists is kept, passwords are updated from .env.
const root = `mongodb://root:${process.env.MONGODB_ROOT_PASSWORD}@mongodb:27017/?authSource=admin&directConnection=true`;
const admin = new Mongo(root).getDB("admin");

try {
  admin.adminCommand({ replSetGetStatus: 1 });
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  admin.adminCommand({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: "mongodb:27017" }] } });
}
while (!admin.hello().isWritablePrimary) sleep(200);

for (const service of ["chat", "presence", "notify", "translate"]) {
  const pwd = process.env[`MONGODB_${service.toUpperCase()}_PASSWORD`];
  const roles = [{ role: "readWrite", db: `parley_${service}` }];
  if (admin.getUser(service)) admin.updateUser(service, { pwd, roles });
  else admin.createUser({ user: service, pwd, roles });
}
