from driver.bson.objectid import ObjectId as ObjectId
from driver.bson.objectid import generator as generator
